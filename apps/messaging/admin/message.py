from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action

from apps.accounts.acting import principal_for
from apps.messaging.admin.base import MOST_COUNTED, AccountFilter, LongTableAdmin, SiftingFilter, organizations_of
from apps.messaging.admin.words import error_in_words, story
from apps.messaging.messages import cancel
from apps.messaging.models import Message
from apps.messaging.search import SHORT_TABLES, messages_named
from apps.messaging.statuses import Status
from apps.messaging.timeline import events_of


class StatusFilter(SiftingFilter):
    title = gettext_lazy("status")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(Status.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Message]) -> QuerySet[Message]:
        status = self.value()
        if status is None:
            return queryset
        if (short := SHORT_TABLES.get(status)) is None:
            queryset = self.newest(queryset)
        else:
            rows = short.across_organizations.filter(organization__in=organizations_of(request))
            ids = list(rows.order_by("-pk").values_list("pk", flat=True)[:MOST_COUNTED])
            queryset = queryset.filter(pk__in=ids)
        return queryset.filter(status=status)


@admin.register(Message)
class MessageAdmin(LongTableAdmin[Message]):
    """What was sent and what became of it."""

    list_display = ["created_at", "recipient", "account", "status", "error", "reference"]
    list_filter = [StatusFilter, AccountFilter]
    search_help_text = gettext_lazy("An id, a reference, the provider's id or a recipient, whole.")
    actions_detail = ["cancel_message"]
    fields = [
        "id", "status", "error", "account", "recipient", "text", "priority", "reference", "metadata",
        "created_at", "scheduled_at", "expires_at", "provider_id", "what_happened",
    ]  # fmt: skip
    readonly_fields = ["id", "error", "recipient", "what_happened"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Message]:
        return super().get_queryset(request).select_related("account", "conversation")

    def find(self, organizations: Sequence[UUID], text: str) -> Sequence[UUID]:
        return messages_named(organizations, text)

    @action(description=gettext_lazy("Take back"), permissions=["write"], url_path="cancel")
    def cancel_message(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        message = self.get_one(request, object_id)
        if request.method == "POST":
            return self._guarded(self._cancel, request, message)
        explanation = _("It is not sent any more, unless it has left already.")
        return self.confirm(request, message, _("Take back"), explanation)

    def _cancel(self, request: HttpRequest, message: Message) -> HttpResponseBase:
        cancel(principal_for(request, message.organization), message)
        messages.success(request, _("The message is not sent any more."))
        return redirect(self.address_of(message))

    @admin.display(description=gettext_lazy("recipient"))
    def recipient(self, message: Message) -> str:
        return message.conversation.address

    @admin.display(description=gettext_lazy("error"))
    def error(self, message: Message) -> str:
        return error_in_words(message.error_class, message.error_code, message.error_detail) or "–"

    @admin.display(description=gettext_lazy("what happened"))
    def what_happened(self, message: Message) -> SafeString:
        return story(events_of(message))
