from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.decorators import method_decorator
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from unfold.decorators import action, display

from apps.accounts.acting import acting_principal, principal_for
from apps.accounts.admin.base import TenantAdmin
from apps.accounts.principal import Principal
from apps.accounts.roles import Scope
from apps.channels import accounts
from apps.channels.admin.forms import LIMITS, PREFIX, ChannelAccountForm, PauseForm, form_for
from apps.channels.errors import SendFailed
from apps.channels.liveness import breaker_state
from apps.channels.models import ChannelAccount
from apps.channels.outbound import connect, verify
from apps.channels.registry import NAMES, choices, connector_class
from apps.core import clock

type Fieldsets = list[tuple[Any, dict[str, Any]]]

TREATMENT = ["ordering", "on_unknown", "unknown_wait", "reply_window"]
RESILIENCE = ["retry_attempts", "retry_base_ms", "breaker_failures", "breaker_seconds"]


@admin.register(ChannelAccount)
class ChannelAccountAdmin(TenantAdmin[ChannelAccount]):
    """Accounts are added, changed, paused and resumed. They stay, because their messages name them."""

    read_scope = Scope.CHANNELS_READ
    write_scope = Scope.CHANNELS_WRITE
    list_display = ["name", "connector", "state", "why", "rate_per_second", "burst", "daily_quota"]
    list_filter = ["connector"]
    search_fields = ["name", "provider_account"]
    ordering = ["-id"]
    actions_detail = ["pause_account", "resume_account", "verify_account", "connect_account"]
    # What is known of the account at this moment. Other apps add to it.
    live_rows: ClassVar[list[Any]] = ["state", "why", "breaker"]

    def has_delete_permission(self, request: HttpRequest, obj: ChannelAccount | None = None) -> bool:
        return False

    @method_decorator(sensitive_post_parameters())
    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return super().changeform_view(request, *args, **kwargs)

    def add_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Which credentials are asked for depends on the connector, so it is chosen first."""
        if request.GET.get("connector") in NAMES or not self.has_add_permission(request):
            return super().add_view(request, *args, **kwargs)  # type: ignore[no-any-return]
        context = {
            **self.admin_site.each_context(request),
            "title": _("Add a channel account"),
            "connectors": choices(),
        }
        return TemplateResponse(request, "channels/admin/choose_connector.html", context)

    def get_form(
        self, request: HttpRequest, obj: ChannelAccount | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        member = acting_principal(request)
        organization = member.organization if member else None
        kwargs["form"] = form_for(
            obj.connector if obj else request.GET["connector"],
            is_new=obj is None,
            acting_organization=obj.organization if obj else organization,
        )
        return super().get_form(request, obj, change=change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: ChannelAccount | None = None) -> Fieldsets:
        kind = connector_class(obj.connector if obj else request.GET["connector"])
        credentials = [PREFIX + each.name for each in kind.credentials]
        head = ["organization", "name"]
        if obj is not None:
            head = ["name", "connector", *self.live_rows, "callback_url", "created_at"]
            if not self.has_change_permission(request, obj):
                credentials = ["credentials_shown"]
        excluded = self.get_exclude(request, obj)
        return [
            (None, {"fields": [name for name in head if name not in excluded]}),
            (_("Credentials"), {"fields": credentials}),
            (_("Limits"), {"fields": LIMITS}),
            (_("Messages"), {"fields": TREATMENT}),
            (_("When the provider fails"), {"fields": RESILIENCE}),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: ChannelAccount | None = None) -> list[str]:
        shown = ["connector", *self.live_rows, "callback_url", "created_at"]
        return [] if obj is None else [*shown, "credentials_shown"]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        limits = connector_class(request.GET["connector"]).limits
        initial = {"rate_per_second": limits.account.rate, "burst": limits.account.burst}
        if limits.recipient is not None:
            initial["recipient_rate_per_second"] = limits.recipient.rate
            initial["recipient_burst"] = limits.recipient.burst
        return {**initial, **super().get_changeform_initial_data(request)}

    def save_for(
        self, principal: Principal, obj: ChannelAccount, form: forms.ModelForm[ChannelAccount], *, change: bool
    ) -> None:
        assert isinstance(form, ChannelAccountForm)
        policy = {name: form.cleaned_data[name] for name in accounts.CHANGEABLE if name in form.cleaned_data}
        if change:
            # Only what this person changed: what others changed meanwhile stays.
            policy = {name: value for name, value in policy.items() if name in form.changed_data}
            saved = accounts.change(principal, obj, credentials=form.entered, **policy)
        else:
            saved = accounts.add(principal, connector=form.connector_name, credentials=form.entered, **policy)
        obj.__dict__.update(saved.__dict__)

    @action(description=gettext_lazy("Pause"), permissions=["write"], url_path="pause")
    def pause_account(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        account = self.get_one(request, object_id)
        form = PauseForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            accounts.pause(principal_for(request, account.organization), account, **form.cleaned_data)
            messages.success(request, _("%(account)s is paused.") % {"account": account})
            return redirect(self.address_of(account))
        explanation = _("Messages go on being accepted, and wait. Those that are at the provider already arrive.")
        return self.confirm(request, account, _("Pause"), explanation, form=form)

    @action(description=gettext_lazy("Resume"), permissions=["write"], url_path="resume")
    def resume_account(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        account = self.get_one(request, object_id)
        if request.method == "POST":
            accounts.resume(principal_for(request, account.organization), account)
            messages.success(request, _("%(account)s goes on.") % {"account": account})
            return redirect(self.address_of(account))
        explanation = _("What waits leaves at once, as fast as the limits allow.")
        return self.confirm(request, account, _("Resume"), explanation, variant="primary")

    @action(description=gettext_lazy("Verify"), permissions=["write"], url_path="verify")
    def verify_account(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        account = self.get_one(request, object_id)
        if request.method == "POST":
            return self._guarded(self._verify, request, account)
        explanation = _("The provider is asked whether it takes the credentials. Nothing is sent.")
        return self.confirm(request, account, _("Verify"), explanation, variant="primary")

    def _verify(self, request: HttpRequest, account: ChannelAccount) -> HttpResponseBase:
        failed = verify(account).error
        if failed is None:
            messages.success(
                request, _("The provider takes the credentials of %(account)s.") % {"account": account}
            )
            if account.is_paused(clock.now()):
                messages.info(request, _("It is still paused. Resume it, and what waits leaves."))
        else:
            self._say_failed(request, account, failed)
        return redirect(self.address_of(account))

    def _say_failed(self, request: HttpRequest, account: ChannelAccount, failed: SendFailed) -> None:
        said = {"account": account, "error": f"{failed.name} {failed}"}
        messages.error(request, _("%(account)s does not pass: %(error)s") % said)

    @action(description=gettext_lazy("Connect"), permissions=["write"], url_path="connect")
    def connect_account(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        account = self.get_one(request, object_id)
        if request.method == "POST":
            return self._guarded(self._connect, request, account)
        explanation = _("The provider is told to call %(url)s.") % {"url": account.callback_url}
        return self.confirm(request, account, _("Connect"), explanation, variant="primary")

    def _connect(self, request: HttpRequest, account: ChannelAccount) -> HttpResponseBase:
        said = connect(account)
        if said.error is not None:
            self._say_failed(request, account, said.error)
        elif said.is_called_back:
            messages.success(request, _("The provider calls %(url)s now.") % {"url": account.callback_url})
        else:
            where = {"url": account.callback_url}
            messages.info(request, _("This provider is told by hand: paste %(url)s there.") % where)
        return redirect(self.address_of(account))

    @display(description=gettext_lazy("state"), label={"live": "success", "paused": "danger"})
    def state(self, account: ChannelAccount) -> tuple[str, str]:
        return ("paused", _("paused")) if account.is_paused(clock.now()) else ("live", _("live"))

    @admin.display(description=gettext_lazy("why"))
    def why(self, account: ChannelAccount) -> str:
        if not account.is_paused(clock.now()):
            return "–"
        if account.paused_until is None:
            return account.pause_reason
        until = date_format(account.paused_until, "DATETIME_FORMAT")
        return _("%(reason)s (until %(time)s)") % {"reason": account.pause_reason, "time": until}

    @admin.display(description=gettext_lazy("breaker"))
    def breaker(self, account: ChannelAccount) -> str:
        state = breaker_state(account)
        if state is None:
            return _("not known: Redis does not answer")
        if state.status == "open" and state.opens_until is not None:
            seconds = max(0, round((state.opens_until - clock.now()).total_seconds()))
            return _("open: the provider failed, and is tried again in %(seconds)d s") % {"seconds": seconds}
        if state.status == "half_open":
            return _("half open: one call tries the provider")
        return _("closed: messages leave")

    @admin.display(description=gettext_lazy("credentials"))
    def credentials_shown(self, account: ChannelAccount) -> str:
        return ", ".join(f"{name}: {value}" for name, value in account.public_credentials.items())

    @admin.display(description=gettext_lazy("where the provider reports"))
    def callback_url(self, account: ChannelAccount) -> str:
        return account.callback_url
