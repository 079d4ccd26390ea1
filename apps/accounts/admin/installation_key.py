from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import ModelForm, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action, display

from apps.accounts import installation_keys
from apps.accounts.acting import acting_user
from apps.accounts.admin.base import ProblemsAsMessages
from apps.accounts.models import InstallationKey
from apps.core import clock


class NewInstallationKeyForm(ModelForm[InstallationKey]):
    class Meta:
        model = InstallationKey
        fields = ["name", "expires_at"]

    def clean_expires_at(self) -> Any:
        expires_at = self.cleaned_data["expires_at"]
        if expires_at is not None and expires_at <= clock.now():
            raise ValidationError(_("This is in the past."))
        return expires_at


@admin.register(InstallationKey)
class InstallationKeyAdmin(ProblemsAsMessages):
    """For superusers. Keys are made and revoked, never edited; the text of a key is on one page, once."""

    list_display = ["name", "prefix", "state", "made_by", "created_at", "last_used_at", "expires_at"]
    list_select_related = ["made_by"]
    search_fields = ["name", "prefix"]
    ordering = ["-id"]
    actions_detail = ["revoke_key"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[InstallationKey]:
        return InstallationKey.objects.select_related("made_by")

    def get_form(
        self, request: HttpRequest, obj: InstallationKey | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        if obj is None:
            kwargs["form"] = NewInstallationKeyForm
        return super().get_form(request, obj, change=change, **kwargs)

    def get_fields(self, request: HttpRequest, obj: InstallationKey | None = None) -> list[str]:
        if obj is None:
            return ["name", "expires_at"]
        return ["name", "prefix", "made_by", "created_at", "last_used_at", "expires_at", "revoked_at"]

    def has_change_permission(self, request: HttpRequest, obj: InstallationKey | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: InstallationKey | None = None) -> bool:
        return False

    def has_write_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Asked by the action."""
        return bool(self.has_add_permission(request))

    def save_model(
        self, request: HttpRequest, obj: InstallationKey, form: ModelForm[InstallationKey], change: bool
    ) -> None:
        wanted = form.cleaned_data
        key, text = installation_keys.issue(
            acting_user(request), name=wanted["name"], expires_at=wanted["expires_at"]
        )
        obj.__dict__.update(key.__dict__)
        obj.shown_once = text  # type: ignore[attr-defined]

    def response_add(
        self, request: HttpRequest, obj: InstallationKey, post_url_continue: str | None = None
    ) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": obj.name,
            "label": _("Installation key"),
            "text": obj.shown_once,  # type: ignore[attr-defined]
            "explanation": _(
                "This is the only time that the key is shown. Copy it now to where your application keeps its "
                "secrets: a lost key cannot be shown again, only replaced."
            ),
            "back": reverse("admin:accounts_installationkey_changelist"),
        }
        response = TemplateResponse(request, "accounts/admin/shown_once.html", context)
        response["Cache-Control"] = "no-store"
        return response

    @action(description=gettext_lazy("Revoke"), permissions=["write"], url_path="revoke")
    def revoke_key(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        key = self._one(request, object_id)
        if request.method == "POST":
            installation_keys.revoke(acting_user(request), key)
            messages.success(request, _("%(key)s is revoked.") % {"key": key})
            return redirect(reverse("admin:accounts_installationkey_changelist"))
        context = {
            **self.admin_site.each_context(request),
            "title": f"{_('Revoke')}: {key}",
            "verb": _("Revoke"),
            "explanation": _("Every request with this key is refused from now on. This cannot be undone."),
            "form": None,
            "back": reverse("admin:accounts_installationkey_change", args=[key.pk]),
        }
        return TemplateResponse(request, "accounts/admin/confirm.html", context)

    def _one(self, request: HttpRequest, object_id: str) -> InstallationKey:
        try:
            found = self.get_queryset(request).filter(pk=UUID(object_id)).first()
        except ValueError as error:
            raise Http404 from error
        if found is None:
            raise Http404
        return found

    @display(description=gettext_lazy("state"), label={"live": "success", "over": "info", "revoked": "danger"})
    def state(self, key: InstallationKey) -> tuple[str, str]:
        if key.revoked_at is not None:
            return "revoked", _("revoked")
        return ("live", _("live")) if installation_keys.is_live(key) else ("over", _("expired"))
