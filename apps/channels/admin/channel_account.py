from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.forms import Script
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from unfold.decorators import display

from apps.accounts.acting import acting_principal
from apps.accounts.principal import Principal
from apps.accounts.roles import Scope
from apps.channels import accounts
from apps.channels.admin.account_actions import AccountActions
from apps.channels.admin.account_words import MOODS, STATES, alert_of, breaker_words, why
from apps.channels.admin.forms import LIMITS, PREFIX, ChannelAccountForm, form_for
from apps.channels.admin.live import LiveColumn, display_of, look_at, seen
from apps.channels.models import ChannelAccount
from apps.channels.registry import NAMES, choices, connector_class

type Fieldsets = list[tuple[Any, dict[str, Any]]]

TREATMENT = ["ordering", "on_unknown", "unknown_wait", "reply_window"]
RESILIENCE = ["retry_attempts", "retry_base_ms", "breaker_failures", "breaker_seconds"]


@admin.register(ChannelAccount)
class ChannelAccountAdmin(AccountActions):
    """Accounts are added, changed, paused, drained and resumed. They stay, because their messages name them."""

    read_scope = Scope.CHANNELS_READ
    write_scope = Scope.CHANNELS_WRITE
    list_display = ["name", "connector", "state", "why"]
    limits_display: ClassVar[list[str]] = ["rate_per_second", "daily_quota"]
    # Of so many Redis is asked at once how their breakers stand.
    list_per_page = 50
    list_max_show_all = 50
    list_filter = ["connector"]
    search_fields = ["name", "provider_account"]
    ordering = ["-id"]
    change_form_outer_before_template = "channels/admin/account_alert.html"
    # What is known of the account at this moment, on its page and in the list. Other apps add to it.
    live_rows: ClassVar[list[Any]] = ["state_now", "why", "breaker"]
    live_columns: ClassVar[list[LiveColumn]] = []

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        named = super().get_list_display(request)
        return [*named[:4], *map(display_of, self.live_columns), *self.limits_display, *named[4:]]

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changes = super().get_changelist_instance(request)
        changes.result_list = list(changes.result_list)
        look_at(changes.result_list, self.live_columns)
        return changes

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        *args: Any,
        obj: ChannelAccount | None = None,
        **kwargs: Any,
    ) -> Any:
        if obj is not None:
            now = seen(obj)
            context["alert"] = alert_of(obj, now.state, now.at, may_write=self.has_change_permission(request, obj))
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)

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

    @display(description=gettext_lazy("state"), label={state.value: mood for state, mood in MOODS.items()})
    def state(self, account: ChannelAccount) -> tuple[str, str]:
        state = seen(account).state
        return state.value, str(STATES[state])

    @admin.display(description=gettext_lazy("state"))
    def state_now(self, account: ChannelAccount) -> str:
        """As in the list: on a page, unfold shows no labels by itself."""
        state = seen(account).state
        return render_to_string("unfold/helpers/label.html", {"type": MOODS[state], "text": STATES[state]})

    @admin.display(description=gettext_lazy("why"))
    def why(self, account: ChannelAccount) -> str:
        now = seen(account)
        return why(account, now.state, now.breaker, now.at)

    @admin.display(description=gettext_lazy("breaker"))
    def breaker(self, account: ChannelAccount) -> str:
        now = seen(account)
        if account.is_paused(now.at) and now.breaker is not None and now.breaker.status == "closed":
            return _("closed: the provider does not fail")
        return breaker_words(now.breaker, now.at)

    @admin.display(description=gettext_lazy("credentials"))
    def credentials_shown(self, account: ChannelAccount) -> str:
        return ", ".join(f"{name}: {value}" for name, value in account.public_credentials.items())

    @admin.display(description=gettext_lazy("where the provider reports"))
    def callback_url(self, account: ChannelAccount) -> str:
        if not account.callback_url:
            return _("nowhere: it never calls")
        hint = connector_class(account.connector).callback_hint
        context = {"url": account.callback_url, "hint": hint}
        return render_to_string("channels/admin/callback_url.html", context)

    class Media:
        css = {"all": ["channels/account.css"]}
        js = [Script("accounts/copy.js", defer=True)]
