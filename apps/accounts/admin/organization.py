from collections.abc import Callable, Collection, Mapping
from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.forms import ModelForm
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminTextInputWidget

from apps.accounts import audit, organizations
from apps.accounts.acting import acting_principal, acting_user
from apps.accounts.admin import sections
from apps.accounts.admin.base import ProblemsAsMessages
from apps.accounts.models import Membership, Organization
from apps.accounts.principal import Principal, actor_of
from apps.accounts.roles import Scope


class SuspendForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=300,
        help_text=gettext_lazy(
            "The organization's people and programs are told it, so that they know whom to ask."
        ),
        widget=UnfoldAdminTextInputWidget(),
    )


@admin.register(Organization)
class OrganizationAdmin(ProblemsAsMessages):
    """Members see the one they work in; making, removing and suspending them is for superusers."""

    search_fields = ["name", "slug"]
    actions_detail = ["suspend_organization", "lift_suspension"]
    change_form_outer_before_template = "accounts/admin/organization/page.html"
    # How many messages of the month each of these used. An app above this one says.
    count_use: ClassVar[Callable[[Collection[UUID]], Mapping[UUID, int]]] = staticmethod(lambda _ids: {})

    class Media:
        css = {"all": ["accounts/organization.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Organization]:
        principal = acting_principal(request)
        if principal is not None:
            return Organization.objects.filter(pk=principal.organization.pk)
        return Organization.objects.all() if acting_user(request).is_superuser else Organization.objects.none()

    def get_list_display(self, request: HttpRequest) -> list[str]:
        if acting_principal(request) is not None:
            return ["name", "slug", "created_at"]
        return ["name", "slug", "state", "members", "use", "created_at"]

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """What is counted, for all rows of the page at once."""
        page = super().get_changelist_instance(request)
        rows = list(page.result_list)
        ids = [row.pk for row in rows]
        counted = Membership.across_organizations.filter(organization__in=ids).values_list("organization")
        of_members = dict(counted.annotate(Count("pk")).order_by())
        used = type(self).count_use(ids)
        for row in rows:
            row.member_count, row.used = of_members.get(row.pk, 0), used.get(row.pk, 0)
        page.result_list = rows
        return page

    def get_fields(self, request: HttpRequest, obj: Organization | None = None) -> list[str]:
        if acting_user(request).is_superuser:
            return ["name", "slug", "monthly_quota", "message_retention_days"]
        return ["name", "slug", "message_retention_days"]

    def get_readonly_fields(self, request: HttpRequest, obj: Organization | None = None) -> list[str]:
        return [] if acting_user(request).is_superuser else ["slug"]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponseBase:
        shown = self._known(request, object_id) if object_id else None
        told = {"sections": sections.sections_of(request, shown)} if shown else {}
        return super().changeform_view(request, object_id, form_url, (extra_context or {}) | told)

    def save_model(self, request: HttpRequest, obj: Organization, form: ModelForm[Any], change: bool) -> None:
        principal = acting_principal(request) or Principal.of_superuser(acting_user(request), obj)
        if not change:
            super().save_model(request, obj, form, change)
            audit.record(principal.actor, "organization.created", obj, organization=obj)
            return
        # Only what this person changed: what others changed meanwhile stays.
        entered = {name: form.cleaned_data[name] for name in form.changed_data}
        if "monthly_quota" in entered:
            organizations.set_quota(principal.actor, obj, entered.pop("monthly_quota"))
        organizations.change(principal, **entered)

    def delete_model(self, request: HttpRequest, obj: Organization) -> None:
        organizations.remove(actor_of(acting_user(request)), obj)

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[Any]:
        """One of them makes sense."""
        shown = self._known(request, object_id)
        is_suspended = shown is not None and shown.suspended_at is not None
        senseless = "suspend_organization" if is_suspended else "lift_suspension"
        return [
            each
            for each in super().get_actions_detail(request, object_id)
            if not each.action_name.endswith(senseless)
        ]

    @action(description=gettext_lazy("Suspend"), permissions=["run"], url_path="suspend")
    def suspend_organization(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        return self._guarded(self._suspend, request, self._one(request, object_id))

    def _suspend(self, request: HttpRequest, organization: Organization) -> HttpResponseBase:
        form = SuspendForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            organizations.suspend(actor_of(acting_user(request)), organization, **form.cleaned_data)
            messages.success(request, _("%(organization)s is suspended.") % {"organization": organization})
            return redirect(self.address_of(organization))
        explanation = _(
            "Its programs can read and no longer write, and no new message is accepted. What was accepted before "
            "still leaves, what people write is kept, and nothing is deleted."
        )
        return self.confirm(request, organization, _("Suspend"), explanation, form=form)

    @action(description=gettext_lazy("Lift the suspension"), permissions=["run"], url_path="lift")
    def lift_suspension(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        return self._guarded(self._lift, request, self._one(request, object_id))

    def _lift(self, request: HttpRequest, organization: Organization) -> HttpResponseBase:
        if request.method == "POST":
            organizations.lift(actor_of(acting_user(request)), organization)
            messages.success(request, _("%(organization)s goes on.") % {"organization": organization})
            return redirect(self.address_of(organization))
        explanation = _("Messages are accepted again from now on.")
        return self.confirm(request, organization, _("Lift the suspension"), explanation, variant="primary")

    @display(
        description=gettext_lazy("state"), label={"live": "success", "quota": "warning", "suspended": "danger"}
    )
    def state(self, organization: Organization) -> tuple[str, str]:
        if organization.suspended_at is not None:
            return "suspended", _("suspended")
        return ("quota", _("quota used up")) if organization.is_quota_reached else ("live", _("live"))

    @admin.display(description=gettext_lazy("members"))
    def members(self, organization: Any) -> str:
        return _number(organization.member_count)

    @admin.display(description=gettext_lazy("use this month"))
    def use(self, organization: Any) -> str:
        if organization.monthly_quota is None:
            return _number(organization.used)
        counts = {"used": _number(organization.used), "quota": _number(organization.monthly_quota)}
        return _("%(used)s of %(quota)s") % counts

    def has_delete_permission(self, request: HttpRequest, obj: Organization | None = None) -> bool:
        """One that has conversations is suspended, not removed."""
        is_offered = acting_user(request).is_superuser and acting_principal(request) is None
        return is_offered and (obj is None or not organizations.has_data(obj))

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """One at a time: removing them is no everyday matter."""
        return {name: each for name, each in super().get_actions(request).items() if name != "delete_selected"}

    def has_run_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Asked by the actions: those of whoever runs the installation."""
        return acting_user(request).is_superuser

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Organization | None = None) -> bool:
        principal = acting_principal(request)
        return principal.may(Scope.ORGANIZATION_READ) if principal else acting_user(request).is_superuser

    def has_change_permission(self, request: HttpRequest, obj: Organization | None = None) -> bool:
        principal = acting_principal(request)
        return principal.may(Scope.ORGANIZATION_WRITE) if principal else acting_user(request).is_superuser

    def _known(self, request: HttpRequest, object_id: str) -> Organization | None:
        """What an address names, if the person may know of it."""
        try:
            return self.get_queryset(request).filter(pk=UUID(object_id)).first()
        except ValueError:
            return None

    def _one(self, request: HttpRequest, object_id: str) -> Organization:
        found = self._known(request, object_id)
        if found is None:
            raise Http404
        return found


def _number(count: int) -> str:
    return str(number_format(count, use_l10n=True, force_grouping=True))
