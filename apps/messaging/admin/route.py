from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import ForeignKey, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy
from rest_framework.exceptions import ValidationError

from apps.accounts.acting import acting_principal
from apps.accounts.admin.base import TenantAdmin
from apps.accounts.models import Organization
from apps.accounts.principal import Principal
from apps.accounts.roles import Scope
from apps.channels.models import ChannelAccount
from apps.messaging import routes
from apps.messaging.models import Conversation, Route

FIELDS = ["name", "source_account", "source_conversation", "target_account", "target_address", "is_active"]


class RouteForm(forms.ModelForm[Route]):
    # Whose it is, where the form does not ask; set by the admin.
    acting_organization: ClassVar[Organization | None] = None

    class Meta:
        model = Route
        fields = ["organization", *FIELDS]

    def clean(self) -> dict[str, Any]:
        """What the API refuses is said at its field."""
        cleaned = super().clean() or {}
        if not self.errors:
            organization = cleaned.get("organization") or self.acting_organization or self.instance.organization
            values = {name: cleaned[name] for name in FIELDS}
            route = Route(pk=self.instance.pk, organization=organization, **values)
            try:
                routes.check(route)
            except ValidationError as refused:
                said = refused.detail if isinstance(refused.detail, dict) else {}
                for field, errors in said.items():
                    self.add_error(field.removesuffix("_id"), [str(error) for error in errors])
        return cleaned


@admin.register(Route)
class RouteAdmin(TenantAdmin[Route]):
    """What comes in here goes on to there."""

    read_scope = Scope.CHANNELS_READ
    write_scope = Scope.CHANNELS_WRITE
    form = RouteForm
    empty_hint = gettext_lazy("A route takes what people write to one account on to another address.")
    list_display = ["name", "source_account", "target_account", "target_address", "is_active"]
    list_filter = ["is_active"]
    search_fields = ["name", "target_address"]
    ordering = ["-id"]
    raw_id_fields = ["source_conversation"]
    fields = ["organization", *FIELDS]
    # The models of what a route names.
    owned: ClassVar[dict[str, Any]] = {
        "source_account": ChannelAccount, "target_account": ChannelAccount, "source_conversation": Conversation,
    }  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Route]:
        return super().get_queryset(request).select_related("source_account", "target_account", "organization")

    def formfield_for_foreignkey(self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any) -> Any:
        """Only what belongs to the organization that the person works in."""
        principal = acting_principal(request)
        model = self.owned.get(db_field.name)
        if model is not None and principal is not None:
            kwargs["queryset"] = model.objects.for_organization(principal.organization)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_form(self, request: HttpRequest, obj: Route | None = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        principal = acting_principal(request)
        form.acting_organization = principal and principal.organization
        return form

    def save_for(self, principal: Principal, obj: Route, form: Any, *, change: bool) -> None:
        values = {name: form.cleaned_data[name] for name in FIELDS}
        if change:
            routes.change(
                principal, Route.objects.for_organization(principal.organization).get(pk=obj.pk), **values
            )
        else:
            obj.pk = routes.add(principal, **values).pk

    def delete_for(self, principal: Principal, obj: Route) -> None:
        routes.remove(principal, obj)
