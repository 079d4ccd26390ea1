"""Addresses that are not written to; and, on a contact's page, what the person allowed and refused."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import TabularInline
from unfold.decorators import action
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from apps.accounts.acting import principal_for
from apps.accounts.admin.long_tables.filters import SelectFilter
from apps.accounts.admin.long_tables.newest import newest
from apps.accounts.admin.long_tables.table import LongTableAdmin
from apps.accounts.principal import Principal
from apps.accounts.roles import Scope
from apps.channels import addresses
from apps.channels.capabilities import AddressKind
from apps.messaging.admin.contact import ContactAdmin
from apps.messaging.consent import suppressions
from apps.messaging.consent.addresses import KINDS
from apps.messaging.consent.suppressions import AlreadySuppressed
from apps.messaging.models import ConsentEvent, ConsentSource, Suppression
from apps.messaging.search import as_id


class NewSuppressionForm(forms.ModelForm[Suppression]):
    kind = forms.ChoiceField(
        label=gettext_lazy("Kind"), choices=list(KINDS.items()), widget=UnfoldAdminSelectWidget()
    )
    detail = forms.CharField(label=gettext_lazy("Reason"), max_length=255, widget=UnfoldAdminTextInputWidget())

    class Meta:
        model = Suppression
        fields = ["organization", "kind", "value", "detail"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if "kind" in cleaned and "value" in cleaned:
            kind, address = AddressKind(cleaned["kind"]), addresses.normalized(cleaned["value"])
            cleaned["value"] = address
            if not addresses.is_possible(kind, address):
                self.add_error("value", addresses.what_is_wrong(kind))
        return cleaned


class RemovalForm(forms.Form):
    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=255, widget=UnfoldAdminTextInputWidget())


class SourceFilter(SelectFilter):
    title = gettext_lazy("source")
    parameter_name = "source"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(ConsentSource.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset if self.value() is None else newest(request, queryset).filter(source=self.value())


@admin.register(Suppression)
class SuppressionAdmin(LongTableAdmin[Suppression]):
    read_scope = Scope.MESSAGES_READ
    write_scope = Scope.MESSAGES_WRITE
    empty_hint = gettext_lazy(
        "Nobody asked to be left alone. Addresses come here when people write STOP, or when you add them."
    )
    list_display = ["value", "kind_in_words", "category", "source", "created_at"]
    list_filter = [SourceFilter]
    search_help_text = gettext_lazy("An id or an address, whole.")
    actions_detail = ["remove_suppression"]
    form = NewSuppressionForm

    def find(self, organizations: Sequence[UUID], text: str) -> Sequence[UUID]:
        found = Suppression.across_organizations.filter(
            organization__in=organizations, kind__in=list(AddressKind), value=addresses.normalized(text)
        )
        named = as_id(text)
        return [*([named] if named else []), *found.values_list("pk", flat=True)]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_write_permission(request)

    def get_fields(self, request: HttpRequest, obj: Suppression | None = None) -> list[str]:
        if obj is not None:
            return ["id", "value", "kind_in_words", "category", "source", "detail", "created_at"]
        excluded = self.get_exclude(request, obj)
        return [name for name in ["organization", "kind", "value", "detail"] if name not in excluded]

    def get_readonly_fields(self, request: HttpRequest, obj: Suppression | None = None) -> list[str]:
        return [] if obj is None else ["id", "kind_in_words"]

    def save_for(
        self, principal: Principal, obj: Suppression, form: forms.ModelForm[Suppression], *, change: bool
    ) -> None:
        said, source = form.cleaned_data, ConsentSource.OPERATOR
        added = suppressions.put(principal, said["kind"], [said["value"]], source, detail=said["detail"])
        if not added:
            raise AlreadySuppressed
        obj.__dict__.update(added[0].__dict__)

    @action(description=gettext_lazy("Remove"), permissions=["write"], url_path="remove")
    def remove_suppression(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        suppression = self.get_one(request, object_id)
        form = RemovalForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            principal = principal_for(request, suppression.organization)
            reason = form.cleaned_data["reason"]
            suppressions.remove(principal, suppression, ConsentSource.OPERATOR, reason)
            messages.success(request, _("The address is written to again."))
            return redirect(reverse("admin:messaging_suppression_changelist"))
        explanation = _("Messages go there again. Do so only if the person wants it.")
        return self.confirm(request, suppression, _("Remove"), explanation, form=form)

    @admin.display(description=gettext_lazy("kind"))
    def kind_in_words(self, suppression: Suppression) -> str:
        return str(KINDS.get(suppression.kind, suppression.kind))


class ConsentsInline(TabularInline):  # type: ignore[misc]
    """Nobody rewrites history."""

    model = ConsentEvent
    fields = ["at", "is_given", "subject", "source", "detail"]
    ordering = ["-id"]
    per_page = 20
    can_delete = False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may see the contact."""
        return True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


ContactAdmin.inlines = [*ContactAdmin.inlines, ConsentsInline]
