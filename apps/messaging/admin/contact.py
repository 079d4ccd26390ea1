from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import TabularInline
from unfold.decorators import action
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from apps.accounts.acting import principal_for
from apps.accounts.admin.long_tables.table import LongTableAdmin
from apps.accounts.principal import Principal
from apps.accounts.roles import Scope
from apps.messaging import contacts
from apps.messaging.consent.addresses import KINDS
from apps.messaging.models import Contact, ContactAddress
from apps.messaging.search import as_id, people_named


class ContactForm(forms.ModelForm[Contact]):
    language = forms.CharField(
        label=gettext_lazy("Language"),
        max_length=10,
        required=False,
        validators=[contacts.check_language],
        help_text=gettext_lazy("Such as pt-br or en."),
        widget=UnfoldAdminTextInputWidget(),
    )
    time_zone = forms.CharField(
        label=gettext_lazy("Time zone"),
        max_length=64,
        required=False,
        validators=[contacts.check_time_zone],
        help_text=gettext_lazy("Such as America/Sao_Paulo."),
        widget=UnfoldAdminTextInputWidget(),
    )

    class Meta:
        model = Contact
        fields = list(contacts.CHANGEABLE)


class AddressForm(forms.ModelForm[ContactAddress]):
    kind = forms.ChoiceField(
        label=gettext_lazy("Kind"), choices=list(KINDS.items()), widget=UnfoldAdminSelectWidget()
    )

    class Meta:
        model = ContactAddress
        fields = ["kind", "value"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if "kind" in cleaned and "value" in cleaned:
            _kind, cleaned["value"] = contacts.way(cleaned["kind"], cleaned["value"])
        return cleaned


class AddressesInline(TabularInline):  # type: ignore[misc]
    """Added and removed; another address is another row."""

    model = ContactAddress
    form = AddressForm
    fields = ["kind", "value"]
    extra = 0
    show_title = False
    ordering = ["kind", "value"]

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may see the contact."""
        return True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may_write(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may_write(request)

    def _may_write(self, request: HttpRequest) -> bool:
        found: bool = self.admin_site.get_model_admin(Contact).has_write_permission(request)
        return found


@admin.register(Contact)
class ContactAdmin(LongTableAdmin[Contact]):
    read_scope = Scope.MESSAGES_READ
    write_scope = Scope.MESSAGES_WRITE
    empty_hint = gettext_lazy(
        "People come here by themselves when they write or are written to. You can add one before that."
    )
    list_display = ["who", "ways", "language", "created_at"]
    search_help_text = gettext_lazy("An id or an address, whole, or how the name begins.")
    actions = ["merge_selected"]
    form = ContactForm
    fields = ["name", "language", "time_zone", "id", "created_at"]
    readonly_fields = ["id", "created_at"]
    inlines = [AddressesInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Contact]:
        return super().get_queryset(request).prefetch_related("addresses")

    def find(self, organizations: Sequence[UUID], text: str) -> Sequence[UUID]:
        return people_named(organizations, text)

    def has_change_permission(self, request: HttpRequest, obj: Contact | None = None) -> bool:
        return self.has_write_permission(request)

    def save_for(
        self, principal: Principal, obj: Contact, form: forms.ModelForm[Contact], *, change: bool
    ) -> None:
        # Only what this person changed: what others changed meanwhile stays.
        changed = {name: form.cleaned_data[name] for name in form.changed_data if name in contacts.CHANGEABLE}
        obj.__dict__.update(contacts.change(principal, obj, **changed).__dict__)

    @transaction.atomic
    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Addresses, through the functions of the API; the other rows of the page are only read."""
        formset.save(commit=False)
        if formset.model is not ContactAddress:
            return
        contact: Contact = form.instance
        principal = principal_for(request, contact.organization)
        for address in formset.deleted_objects:
            contacts.remove_address(principal, address)
        for address in formset.new_objects:
            contacts.add_address(principal, contact, contacts.way(address.kind, address.value))

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view(self.merge)
        return [path("merge/", page, name="messaging_contact_merge"), *super().get_urls()]

    @action(description=gettext_lazy("Merge two into one"), permissions=["write"])
    def merge_selected(self, request: HttpRequest, queryset: QuerySet[Contact]) -> HttpResponseBase | None:
        """What that means is said on a page of its own."""
        chosen = list(queryset.order_by("pk")[:3])
        if len({each.organization_id for each in chosen}) != 1 or len(chosen) != 2:
            messages.error(request, _("Choose two contacts, of one organization."))
            return None
        ids = ",".join(str(each.pk) for each in chosen)
        return redirect(f"{reverse('admin:messaging_contact_merge')}?{urlencode({'ids': ids})}")

    def merge(self, request: HttpRequest) -> HttpResponseBase:
        if not self.has_write_permission(request):
            raise PermissionDenied
        ids = [found for text in request.GET.get("ids", "").split(",") if (found := as_id(text))]
        chosen = self.get_queryset(request).select_related("organization").filter(pk__in=ids[:2]).order_by("pk")
        if len(chosen) != 2 or chosen[0].organization != chosen[1].organization:
            raise Http404
        older, newer = chosen
        if request.method == "POST":
            contacts.merge(principal_for(request, older.organization), newer, older)
            messages.success(request, _("The two are one contact now."))
            return redirect(self.address_of(older))
        explanation = _(
            "“%(older)s” (%(ways)s) is kept, and gets the addresses and conversations of “%(newer)s” "
            "(%(other_ways)s), who is gone afterwards. What either of them refused stays refused. This cannot be "
            "undone."
        )
        told = {
            "older": older, "ways": self.ways(older), "newer": newer, "other_ways": self.ways(newer),
        }  # fmt: skip
        context = {
            **self.admin_site.each_context(request),
            "title": _("Merge two into one"),
            "verb": _("Merge"),
            "explanation": explanation % told,
            "variant": "danger",
            "back": reverse("admin:messaging_contact_changelist"),
        }
        return TemplateResponse(request, "accounts/admin/confirm.html", context)

    @admin.display(description=gettext_lazy("name"))
    def who(self, contact: Contact) -> str:
        return contact.name or _("(no name)")

    @admin.display(description=gettext_lazy("addresses"))
    def ways(self, contact: Contact) -> str:
        return ", ".join(each.value for each in contact.addresses.all()) or "–"
