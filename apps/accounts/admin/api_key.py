from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from apps.accounts import api_keys
from apps.accounts.acting import acting_principal, principal_for
from apps.accounts.admin.base import TenantAdmin
from apps.accounts.models import ApiKey
from apps.accounts.principal import Principal
from apps.accounts.roles import Scope
from apps.core import clock


class NewApiKeyForm(forms.ModelForm[ApiKey]):
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("Scopes"), choices=Scope.choices, widget=UnfoldAdminCheckboxSelectMultipleWidget()
    )

    class Meta:
        model = ApiKey
        fields = ["organization", "name", "scopes", "expires_at"]

    def clean_expires_at(self) -> Any:
        expires_at = self.cleaned_data["expires_at"]
        if expires_at is not None and expires_at <= clock.now():
            raise forms.ValidationError(_("This is in the past."))
        return expires_at


@admin.register(ApiKey)
class ApiKeyAdmin(TenantAdmin[ApiKey]):
    """Keys are made, rotated and revoked, never edited; the text of a key is on one page, once."""

    read_scope = Scope.API_KEYS_READ
    write_scope = Scope.API_KEYS_WRITE
    empty_hint = gettext_lazy(
        "An application calls the API with a key. Make one, with only the scopes that it needs."
    )
    list_display = ["name", "prefix", "state", "created_at", "last_used_at", "expires_at"]
    search_fields = ["name", "prefix"]
    ordering = ["-id"]
    readonly_fields = ["prefix", "created_at", "last_used_at", "revoked_at", "replaces"]
    actions_detail = ["rotate_key", "revoke_key"]

    def get_form(
        self, request: HttpRequest, obj: ApiKey | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        if obj is not None:
            return super().get_form(request, obj, change=change, **kwargs)
        form = super().get_form(request, obj, change=change, form=NewApiKeyForm, **kwargs)
        principal = acting_principal(request)
        if principal is not None:
            choices = [choice for choice in Scope.choices if Scope(choice[0]) in principal.scopes]
            form.base_fields["scopes"].choices = choices
        return form

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> list[str]:
        if obj is None:
            return [
                name
                for name in ["organization", "name", "scopes", "expires_at"]
                if name not in self.get_exclude(request, obj)
            ]
        return ["name", "scopes", "prefix", "created_at", "last_used_at", "expires_at", "revoked_at", "replaces"]

    def has_change_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        return False

    def save_for(self, principal: Principal, obj: ApiKey, form: forms.ModelForm[ApiKey], *, change: bool) -> None:
        wanted = form.cleaned_data
        key, text = api_keys.issue(
            principal, name=wanted["name"], scopes=wanted["scopes"], expires_at=wanted["expires_at"]
        )
        obj.__dict__.update(key.__dict__)
        obj.shown_once = text  # type: ignore[attr-defined]

    def response_add(
        self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None
    ) -> HttpResponse:
        return self._show_once(request, obj, obj.shown_once)  # type: ignore[attr-defined]

    @action(description=gettext_lazy("Rotate"), permissions=["write"], url_path="rotate")
    def rotate_key(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        key = self.get_one(request, object_id)
        if request.method == "POST":
            principal = principal_for(request, key.organization)
            return self._guarded(
                lambda _request: self._show_once(request, *api_keys.rotate(principal, key)), request
            )
        explanation = _(
            "A new key with the same name and scopes is made and shown once. The old one works for 24 more hours."
        )
        return self.confirm(request, key, _("Rotate"), explanation, variant="primary")

    @action(description=gettext_lazy("Revoke"), permissions=["write"], url_path="revoke")
    def revoke_key(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        key = self.get_one(request, object_id)
        if request.method == "POST":
            api_keys.revoke(principal_for(request, key.organization), key)
            messages.success(request, _("%(key)s is revoked.") % {"key": key})
            return redirect(reverse("admin:accounts_apikey_changelist"))
        explanation = _("Every request with this key is refused from now on. This cannot be undone.")
        return self.confirm(request, key, _("Revoke"), explanation)

    def _show_once(self, request: HttpRequest, key: ApiKey, text: str) -> HttpResponse:
        return self.show_once(
            request,
            title=key.name,
            label=_("API key"),
            text=text,
            explanation=_(
                "This is the only time that the key is shown. Copy it now to where your application keeps its "
                "secrets: a lost key cannot be shown again, only replaced."
            ),
            back=reverse("admin:accounts_apikey_changelist"),
        )

    @display(
        description=gettext_lazy("state"),
        label={"live": "success", "expired": "info", "revoked": "danger"},
    )
    def state(self, key: ApiKey) -> tuple[str, str]:
        if key.revoked_at is not None:
            return "revoked", _("revoked")
        return ("live", _("live")) if api_keys.is_live(key) else ("expired", _("expired"))
