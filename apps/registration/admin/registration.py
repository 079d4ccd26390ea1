"""Registrations: how far each is and how it ended. What people told is in the vault, and not here."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from unfold.decorators import action, display

from apps.accounts.acting import organizations_of
from apps.accounts.admin.long_tables.filters import SelectFilter
from apps.accounts.admin.long_tables.newest import newest
from apps.accounts.admin.long_tables.table import LongTableAdmin
from apps.accounts.roles import Scope
from apps.messaging.search import as_id
from apps.registration.admin.people import PeoplePages
from apps.registration.conversation import hand_back
from apps.registration.conversation.prepare import definition_of
from apps.registration.definition import CONSENT, SUMMARY
from apps.registration.models import Registration, RegistrationFlow, RegistrationState

_LINK = '<a class="font-medium text-primary-600 dark:text-primary-500" href="{}">{}</a>'
_MOST_FLOWS = 200
_AT = {CONSENT: gettext_lazy("Whether they agree"), SUMMARY: gettext_lazy("Whether all of it is right")}


class RegistrationStateFilter(SelectFilter):
    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(RegistrationState.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset if self.value() is None else newest(request, queryset).filter(state=self.value())


class FlowFilter(SelectFilter):
    title = gettext_lazy("flow")
    parameter_name = "flow"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        flows = RegistrationFlow.across_organizations.filter(organization__in=organizations_of(request))
        return [(str(flow.pk), flow.name) for flow in flows.order_by("name")[:_MOST_FLOWS]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset if self.value() is None else newest(request, queryset).filter(flow=self.value())


@admin.register(Registration)
class RegistrationAdmin(PeoplePages, LongTableAdmin[Registration]):
    read_scope = Scope.REGISTRATIONS_READ
    write_scope = Scope.REGISTRATIONS_WRITE
    # On a telephone only the first two are seen at once.
    empty_hint = gettext_lazy(
        "Nobody has begun to register. People begin when they write a keyword of a flow that is live."
    )
    list_display = ["began", "standing", "who", "flow_name", "question", "ended"]
    list_filter = [RegistrationStateFilter, FlowFilter]
    search_help_text = gettext_lazy("An id, whole.")
    actions_detail = ["hand_back_registration", "cancel_registration"]
    fields = [
        "contact_link", "conversation_link", "person_link", "flow_link", "version_number", "state", "question",
        "is_update", "language", "started_by", "turns", "started_at", "reminded_at", "changed_at", "ended_at",
        "applied_at", "redacted_at", "id",
    ]  # fmt: skip
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Registration]:
        found = super().get_queryset(request).select_related("contact", "flow", "version")
        return found.defer("opening", "confirmed")

    def get_actions_detail(self, request: HttpRequest, object_id: int | str) -> list[Any]:
        """What can be done with it now. Who comes too late for something is told so where it is done."""
        registration = self.get_object(request, str(object_id))
        if registration is None or not registration.is_running:
            return []
        actions = super().get_actions_detail(request, object_id)
        is_with_person = registration.state == RegistrationState.WITH_PERSON
        return [each for each in actions if is_with_person or each.path != "hand-back"]

    def get_fields(self, request: HttpRequest, obj: Registration | None = None) -> list[str]:
        return [name for name in self.fields if name != "person_link" or self.has_people_permission(request)]

    def find(self, organizations: Sequence[UUID], text: str) -> Sequence[UUID]:
        named = as_id(text)
        return [named] if named else []

    @action(description=gettext_lazy("Hand back"), permissions=["write"], url_path="hand-back")
    def hand_back_registration(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        return self._guarded(
            self.after_asking,
            request,
            self.get_one(request, object_id),
            hand_back.hand_back,
            verb=_("Hand back"),
            explanation=_("The person is asked again, from where it stopped. The team has no more to do with it."),
            done=_("The registration goes on."),
            variant="primary",
        )

    @action(description=gettext_lazy("Cancel"), permissions=["write"], url_path="cancel")
    def cancel_registration(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        return self._guarded(
            self.after_asking,
            request,
            self.get_one(request, object_id),
            hand_back.cancel,
            verb=_("Cancel the registration"),
            explanation=_("It ends here, and nothing is kept of it. The person is told nothing."),
            done=_("The registration is cancelled."),
        )

    @admin.display(description=gettext_lazy("started"))
    def began(self, registration: Registration) -> str:
        return _short(registration.started_at)

    @admin.display(description=gettext_lazy("ended"))
    def ended(self, registration: Registration) -> str:
        return _short(registration.ended_at) if registration.ended_at else "–"

    @admin.display(description=gettext_lazy("contact"))
    def who(self, registration: Registration) -> str:
        return registration.contact.name or _("(no name)")

    @admin.display(description=gettext_lazy("flow"))
    def flow_name(self, registration: Registration) -> str:
        return registration.flow.name

    @admin.display(description=gettext_lazy("contact"))
    def contact_link(self, registration: Registration) -> SafeString:
        url = reverse("admin:messaging_contact_change", args=[registration.contact_id])
        return format_html(_LINK, url, self.who(registration))

    @admin.display(description=gettext_lazy("conversation"))
    def conversation_link(self, registration: Registration) -> SafeString:
        url = reverse("admin:messaging_conversation_change", args=[registration.conversation_id])
        return format_html(_LINK, url, _("Show"))

    @admin.display(description=gettext_lazy("person"))
    def person_link(self, registration: Registration) -> SafeString | str:
        if registration.person_id is None:
            return "–"
        ids = [registration.organization_id, registration.person_id]
        return format_html(_LINK, reverse("admin:registration_person", args=ids), _("Show"))

    @admin.display(description=gettext_lazy("flow"))
    def flow_link(self, registration: Registration) -> SafeString:
        url = reverse("admin:registration_registrationflow_change", args=[registration.flow_id])
        return format_html(_LINK, url, registration.flow)

    @admin.display(description=gettext_lazy("version"))
    def version_number(self, registration: Registration) -> int:
        return registration.version.number

    @display(
        description=gettext_lazy("state"),
        label={
            "consent": "info",
            "asking": "primary",
            "confirming": "primary",
            "with_person": "warning",
            "completed": "success",
            "declined": "danger",
            "stopped": "danger",
            "cancelled": "danger",
        },
    )
    def standing(self, registration: Registration) -> tuple[str, str]:
        return registration.state, registration.get_state_display()

    @admin.display(description=gettext_lazy("question"))
    def question(self, registration: Registration) -> str:
        """The one that is open, or at which it ended."""
        asked = definition_of(registration.version)
        if found := asked.question(registration.step):
            return asked.label(found, asked.language_for(get_language() or ""))
        return str(_AT.get(registration.step, "–"))


def _short(at: datetime) -> str:
    return formats.date_format(timezone.localtime(at), "SHORT_DATETIME_FORMAT")
