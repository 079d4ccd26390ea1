"""Filters of the list of conversations."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts.acting import acting_principal, organizations_of
from apps.accounts.admin.long_tables.filters import SelectFilter
from apps.accounts.admin.long_tables.newest import newest
from apps.accounts.models import Membership
from apps.messaging.inbox import membership_of
from apps.messaging.models import Conversation, ConversationLabel, Label

ME, NOBODY = "me", "none"


class StateFilter(SelectFilter):
    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("open", _("open")), ("closed", _("closed"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Conversation]) -> QuerySet[Conversation]:
        if self.value() is None:
            return queryset
        return newest(request, queryset).filter(closed_at__isnull=self.value() == "open")


class UnreadFilter(SelectFilter):
    title = gettext_lazy("unread")
    parameter_name = "unread"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("with unread messages"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Conversation]) -> QuerySet[Conversation]:
        return queryset if self.value() is None else queryset.filter(unread_count__gt=0)


class AssigneeFilter(SelectFilter):
    title = gettext_lazy("assigned to")
    parameter_name = "assignee"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        principal = acting_principal(request)
        if principal is None:
            return [(NOBODY, _("nobody"))]
        members = Membership.objects.for_organization(principal.organization).select_related("user")
        return [(ME, _("me")), (NOBODY, _("nobody")), *((str(each.pk), each) for each in members.order_by("pk"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Conversation]) -> QuerySet[Conversation]:
        said = self.value()
        if said is None:
            return queryset
        principal = acting_principal(request)
        if said == NOBODY:
            # Within an organization an index finds them; over all of them they are sifted.
            return (queryset if principal else newest(request, queryset)).filter(assignee=None)
        if said == ME:
            member = membership_of(principal) if principal else None
            return queryset.filter(assignee=member) if member else queryset.none()
        return queryset.filter(assignee=UUID(said))


class LabelFilter(SelectFilter):
    title = gettext_lazy("label")
    parameter_name = "label"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        labels = Label.across_organizations.filter(organization__in=organizations_of(request))
        return [(str(label.pk), label.name) for label in labels.order_by("name")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Conversation]) -> QuerySet[Conversation]:
        said = self.value()
        if said is None:
            return queryset
        hung = ConversationLabel.across_organizations.filter(label=UUID(said))
        return queryset.filter(pk__in=hung.values("conversation"))
