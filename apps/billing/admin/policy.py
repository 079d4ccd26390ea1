"""Reminder policies for those who write them, with their rules; what they would send, and what they brought."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import StackedInline
from unfold.decorators import action, display

from apps.accounts.acting import acting_principal, principal_for
from apps.accounts.admin.base import TenantAdmin
from apps.accounts.principal import Principal
from apps.accounts.roles import Scope
from apps.billing import dry_run, policies
from apps.billing.admin import policy_pages
from apps.billing.admin.policy_forms import ACCOUNT_FIELDS, PolicyForm, RuleForm, RuleFormSet, templates_of
from apps.billing.models import ReminderPolicy, ReminderRule
from apps.billing.rule_words import in_words
from apps.channels.models import ChannelAccount


class RuleInline(StackedInline):  # type: ignore[misc]
    model = ReminderRule
    form = RuleForm
    formset = RuleFormSet
    verbose_name_plural = gettext_lazy("when people are reminded")
    ordering = ["offset", "id"]
    fields = [
        ("count", "unit", "side", "anchor"), ("repeat_every", "repeat_until"), "template", "channel_templates",
    ]  # fmt: skip

    def get_extra(self, request: HttpRequest, obj: ReminderPolicy | None = None, **kwargs: Any) -> int:
        return 0 if obj else 1

    def get_formset(self, request: HttpRequest, obj: ReminderPolicy | None = None, **kwargs: Any) -> Any:
        formset = super().get_formset(request, obj, **kwargs)
        principal = acting_principal(request)
        organization = obj.organization if obj else principal.organization if principal else None
        formset.templates = templates_of(organization)
        return formset

    # Whoever may change the policy may change its rules.

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True


@admin.register(ReminderPolicy)
class ReminderPolicyAdmin(TenantAdmin[ReminderPolicy]):
    read_scope = Scope.INVOICES_READ
    write_scope = Scope.POLICIES_WRITE
    form = PolicyForm
    empty_hint = gettext_lazy(
        "A policy says when and how people are reminded of their bills. Begin with the usual one, and change it."
    )
    list_display = ["name", "position", "state", "channels", "send_at"]
    ordering = ["position", "id"]
    actions_detail = ["results_page", "calendar_page", "go_live_policy", "stop_policy"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ReminderPolicy]:
        return super().get_queryset(request).select_related("organization")

    def get_form(
        self, request: HttpRequest, obj: ReminderPolicy | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        principal = acting_principal(request)
        form.acting_organization = principal and principal.organization
        return form

    def get_inlines(self, request: HttpRequest, obj: ReminderPolicy | None) -> list[Any]:
        return [RuleInline] if self.has_change_permission(request, obj) else []

    def get_fieldsets(self, request: HttpRequest, obj: ReminderPolicy | None = None) -> Any:
        if not self.has_change_permission(request, obj):
            return [(None, {"fields": ["name", "standing", "channels", "rules_in_words", "send_at", "days_off"]})]
        asks_for = [] if "organization" in self.get_exclude(request, obj) else ["organization"]
        return [
            (None, {"fields": [*asks_for, "name", "standing", "position"]}),
            (gettext_lazy("Over which channels"), {"fields": [*ACCOUNT_FIELDS, "delivered_within"]}),
            (gettext_lazy("At which hour"), {"fields": ["send_at", "days_off", "quiet_hours"]}),
            (
                gettext_lazy("How much is enough"),
                {"fields": ["most_a_day", "most_a_week", "joins_invoices", "late", "result_days"]},
            ),
            (
                gettext_lazy("For which invoices"),
                {"fields": ["least_amount", "most_amount", "tags", "except_tags", "customers"]},
            ),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: ReminderPolicy | None = None) -> list[str]:
        shown = ["standing", "channels", "rules_in_words"]
        return shown if self.has_change_permission(request, obj) else [*shown, "name", "send_at", "days_off"]

    def save_for(self, principal: Principal, obj: ReminderPolicy, form: Any, *, change: bool) -> None:
        """Together with its rules; see below."""

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        principal = principal_for(request, form.instance.organization)
        rules = [each.rule for each in formset.kept]
        if change:
            policies.change(principal, form.instance, rules, **form.values)
        else:
            form.instance.pk = policies.add(principal, rules, **form.values).pk
        # What Django's own history would have told.
        formset.new_objects, formset.changed_objects, formset.deleted_objects = [], [], []

    def delete_for(self, principal: Principal, obj: ReminderPolicy) -> None:
        policies.remove(principal, obj)

    @action(description=gettext_lazy("Go live"), permissions=["write"], url_path="go-live")
    def go_live_policy(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        policy = self.get_one(request, object_id)
        if request.method == "POST":
            return self._guarded(
                self.after_asking, request, policy, policies.go_live,
                verb=_("Go live"), explanation="", done=_("People are reminded from now on."),
            )  # fmt: skip
        run = dry_run.of_policy(policy)
        context = {
            **self.admin_site.each_context(request),
            "title": f"{_('Go live')}: {policy}",
            "run": run,
            "days": policy_pages.planned_days(run),
            "by_channel": policy_pages.by_channel(run),
            "back": self.address_of(policy),
        }
        return TemplateResponse(request, "billing/admin/go_live.html", context)

    @action(description=gettext_lazy("Stop"), permissions=["write"], url_path="stop")
    def stop_policy(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        return self._guarded(
            self.after_asking,
            request,
            self.get_one(request, object_id),
            policies.stop,
            verb=_("Stop"),
            explanation=_(
                "Nobody is reminded by it any more; also what waits to be sent is not sent. Invoices may follow "
                "other policies then."
            ),
            done=_("The policy is stopped."),
        )

    @action(description=gettext_lazy("Results"), permissions=["view"], url_path="results")
    def results_page(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        policy = self.get_one(request, object_id)
        context = self.admin_site.each_context(request) | policy_pages.results_of(policy, request.GET.get("days"))
        context |= {"title": f"{_('Results')}: {policy}", "back": self.address_of(policy)}
        return TemplateResponse(request, "billing/admin/results.html", context)

    @action(description=gettext_lazy("Calendar"), permissions=["view"], url_path="calendar")
    def calendar_page(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        policy = self.get_one(request, object_id)
        context = self.admin_site.each_context(request) | policy_pages.calendar_of(
            policy, request.GET.get("month")
        )
        context |= {"title": f"{_('Calendar')}: {policy}", "back": self.address_of(policy)}
        return TemplateResponse(request, "billing/admin/calendar.html", context)

    @display(description=gettext_lazy("state"), label={"live": "success", "off": "warning"})
    def state(self, policy: ReminderPolicy) -> tuple[str, str]:
        return ("live", _("live")) if policy.is_live else ("off", _("not live"))

    @admin.display(description=gettext_lazy("state"))
    def standing(self, policy: ReminderPolicy) -> str:
        return str(self.state(policy)[1])

    @admin.display(description=gettext_lazy("channels"))
    def channels(self, policy: ReminderPolicy) -> str:
        accounts = ChannelAccount.across_organizations.filter(organization=policy.organization_id)
        known = accounts.in_bulk(policy.accounts)
        return " → ".join(str(known[pk]) for pk in policy.accounts if pk in known) or "–"

    @admin.display(description=gettext_lazy("when people are reminded"))
    def rules_in_words(self, policy: ReminderPolicy) -> SafeString:
        rows = [(in_words(rule), rule.template) for rule in policy.rules.order_by("offset", "id")]
        return format_html("<ul>{}</ul>", format_html_join("", "<li>{}: {}</li>", rows))
