from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from apps.accounts.acting import principal_for
from apps.accounts.admin.base import TenantAdmin
from apps.accounts.principal import Principal
from apps.accounts.roles import Scope
from apps.callbacks import deliveries, endpoints
from apps.callbacks.event_types import EventType
from apps.callbacks.models import WebhookEndpoint


class EndpointForm(forms.ModelForm[WebhookEndpoint]):
    event_types = forms.MultipleChoiceField(
        label=gettext_lazy("Events"),
        choices=[(each.value, each.value) for each in EventType],
        required=False,
        help_text=gettext_lazy("None chosen: all of them."),
        widget=UnfoldAdminCheckboxSelectMultipleWidget(),
    )

    class Meta:
        model = WebhookEndpoint
        fields = ["organization", *endpoints.CHANGEABLE]

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"]
        if reason := endpoints.why_not(url):
            raise forms.ValidationError(reason)
        return url


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(TenantAdmin[WebhookEndpoint]):
    """Endpoints are added, changed, tried out, disabled and enabled; a secret is on one page, once."""

    read_scope = Scope.WEBHOOKS_READ
    write_scope = Scope.WEBHOOKS_WRITE
    form = EndpointForm
    empty_hint = gettext_lazy(
        "An endpoint is an address of your application that is told what happens. Add one, and send it a test."
    )
    list_display = ["url", "description", "state", "failing_since", "created_at"]
    search_fields = ["url", "description"]
    ordering = ["-id"]
    readonly_fields = [
        "state", "disabled_reason", "disabled_at", "failing_since", "previous_secret_until", "created_at", "sent",
    ]  # fmt: skip
    actions_detail = ["test_endpoint", "rotate_secret", "disable_endpoint", "enable_endpoint"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[WebhookEndpoint]:
        return super().get_queryset(request).defer(*endpoints.SECRETS)

    def get_fields(self, request: HttpRequest, obj: WebhookEndpoint | None = None) -> list[str]:
        fields = ["organization", *endpoints.CHANGEABLE, *(self.readonly_fields if obj else [])]
        return [name for name in fields if name not in self.get_exclude(request, obj)]

    def save_for(
        self, principal: Principal, obj: WebhookEndpoint, form: forms.ModelForm[WebhookEndpoint], *, change: bool
    ) -> None:
        wanted = {name: form.cleaned_data[name] for name in endpoints.CHANGEABLE}
        if change:
            # Only what this person changed: what others changed meanwhile stays.
            wanted = {name: value for name, value in wanted.items() if name in form.changed_data}
            saved = endpoints.change(principal, obj, **wanted)
        else:
            saved, secret = endpoints.add(principal, **wanted)
            obj.shown_once = secret  # type: ignore[attr-defined]
        obj.__dict__.update(saved.__dict__)

    def delete_for(self, principal: Principal, obj: WebhookEndpoint) -> None:
        endpoints.remove(principal, obj)

    def response_add(
        self, request: HttpRequest, obj: WebhookEndpoint, post_url_continue: str | None = None
    ) -> HttpResponse:
        return self._show_once(request, obj, obj.shown_once)  # type: ignore[attr-defined]

    @action(description=gettext_lazy("Test"), permissions=["write"], url_path="test")
    def test_endpoint(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        endpoint = self.get_one(request, object_id)
        if request.method == "POST":
            return self._guarded(self._test, request, endpoint)
        explanation = _("It is sent an event that only says that it is one.")
        return self.confirm(request, endpoint, _("Test"), explanation, variant="primary")

    def _test(self, request: HttpRequest, endpoint: WebhookEndpoint) -> HttpResponseBase:
        delivery = deliveries.ping(principal_for(request, endpoint.organization), endpoint)
        messages.success(request, _("The event is on its way. This page shows what comes of it."))
        return redirect(reverse("admin:callbacks_webhookdelivery_change", args=[delivery.pk]))

    @action(description=gettext_lazy("New secret"), permissions=["write"], url_path="rotate")
    def rotate_secret(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        endpoint = self.get_one(request, object_id)
        if request.method == "POST":
            principal = principal_for(request, endpoint.organization)
            return self._show_once(request, *endpoints.rotate_secret(principal, endpoint))
        explanation = _("A new secret is made and shown once. For 24 hours calls are signed with both.")
        return self.confirm(request, endpoint, _("New secret"), explanation, variant="primary")

    @action(description=gettext_lazy("Disable"), permissions=["write"], url_path="disable")
    def disable_endpoint(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        return self.after_asking(
            request,
            self.get_one(request, object_id),
            endpoints.disable,
            verb=_("Disable"),
            explanation=_(
                "It is not called any more. What waits for it goes on waiting; what happens is not kept."
            ),
            done=_("The endpoint is disabled."),
        )

    @action(description=gettext_lazy("Enable"), permissions=["write"], url_path="enable")
    def enable_endpoint(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        return self.after_asking(
            request,
            self.get_one(request, object_id),
            endpoints.enable,
            verb=_("Enable"),
            explanation=_("What waited for it leaves at once. Of what happened meanwhile it is not told."),
            done=_("The endpoint is enabled."),
            variant="primary",
        )

    def _show_once(self, request: HttpRequest, endpoint: WebhookEndpoint, secret: str) -> HttpResponse:
        return self.show_once(
            request,
            title=endpoint.url,
            label=_("Secret"),
            text=secret,
            explanation=_(
                "This is the only time that the secret is shown. Copy it now to where your application checks the "
                "signatures of our calls."
            ),
            back=self.address_of(endpoint),
        )

    @display(
        description=gettext_lazy("state"), label={"live": "success", "failing": "warning", "disabled": "danger"}
    )
    def state(self, endpoint: WebhookEndpoint) -> tuple[str, str]:
        if not endpoint.is_enabled:
            return "disabled", _("disabled")
        return ("failing", _("failing")) if endpoint.first_failed_at else ("live", _("live"))

    @admin.display(description=gettext_lazy("failing since"))
    def failing_since(self, endpoint: WebhookEndpoint) -> Any:
        return endpoint.first_failed_at

    @admin.display(description=gettext_lazy("deliveries"))
    def sent(self, endpoint: WebhookEndpoint) -> SafeString:
        url = f"{reverse('admin:callbacks_webhookdelivery_changelist')}?endpoint={endpoint.pk}"
        return format_html('<a href="{}">{}</a>', url, _("What it was called with"))
