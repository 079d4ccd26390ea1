from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action, display

from apps.accounts.acting import principal_for
from apps.accounts.admin.long_tables.newest import newest
from apps.accounts.admin.long_tables.table import LongTableAdmin
from apps.accounts.roles import Scope
from apps.messaging.admin.account_filters import AccountFilter, ChannelFilter
from apps.messaging.admin.message_filters import CodeFilter, ErrorFilter, StatusFilter, TemplateFilter
from apps.messaging.admin.story import story_of
from apps.messaging.admin.words import error_in_words
from apps.messaging.messages import cancel
from apps.messaging.models import Message
from apps.messaging.search import messages_named
from apps.messaging.statuses import Status
from apps.messaging.timeline import events_of

LONGEST_SAID = 60
MOOD_OF_STATUS = {
    Status.SENT: "info",
    Status.DELIVERED: "success",
    Status.READ: "success",
    Status.FAILED: "danger",
    Status.EXPIRED: "danger",
}


@admin.register(Message)
class MessageAdmin(LongTableAdmin[Message]):
    """What was sent and what became of it."""

    read_scope = Scope.MESSAGES_READ
    write_scope = Scope.MESSAGES_WRITE
    list_display = ["created_at", "recipient", "said", "account", "standing", "error", "reference"]
    list_filter = [ErrorFilter, CodeFilter, TemplateFilter, StatusFilter, ChannelFilter, AccountFilter]
    empty_hint = gettext_lazy(
        "No message was sent or received. Send one with POST /v1/messages, from a conversation, or as a test from "
        "a channel account's page."
    )
    search_help_text = gettext_lazy(
        "An id, a reference, the provider's id or a recipient, whole; or how a text begins."
    )
    change_form_before_template = "messaging/admin/story.html"
    actions_detail = ["cancel_message"]
    fields = [
        "id", "status", "error", "account", "recipient", "text", "priority", "reference", "metadata",
        "created_at", "scheduled_at", "expires_at", "provider_id",
    ]  # fmt: skip
    readonly_fields = ["id", "error", "recipient"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Message]:
        return super().get_queryset(request).select_related("account", "conversation")

    def find(self, organizations: Sequence[UUID], text: str) -> Sequence[UUID]:
        return messages_named(organizations, text)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Message], search_term: str
    ) -> tuple[QuerySet[Message], bool]:
        """Where nothing has this name, those whose text begins so: no index knows them."""
        found, has_duplicates = super().get_search_results(request, queryset, search_term)
        text = search_term.strip()
        if not text or "\0" in text or found.exists():
            return found, has_duplicates
        return newest(request, queryset).filter(text__istartswith=text), False

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        message = self.get_object(request, object_id)
        story = story_of(request, message, events_of(message)) if message is not None else None
        answer: HttpResponseBase = super().change_view(
            request, object_id, form_url, {**(extra_context or {}), "story": story}
        )
        return answer

    def get_actions_detail(self, request: HttpRequest, object_id: int | str) -> list[Any]:
        """Only what has not left can be taken back."""
        message = self.get_object(request, str(object_id))
        is_here = message is not None and message.status in {Status.QUEUED, Status.SENDING}
        return list(super().get_actions_detail(request, object_id)) if is_here else []

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

    @admin.display(description=gettext_lazy("text"))
    def said(self, message: Message) -> str:
        return Truncator(message.text).chars(LONGEST_SAID)

    @display(description=gettext_lazy("status"), label=MOOD_OF_STATUS)
    def standing(self, message: Message) -> tuple[str, str]:
        return message.status, message.get_status_display()

    @admin.display(description=gettext_lazy("error"))
    def error(self, message: Message) -> str:
        return error_in_words(message.error_class, message.error_code, message.error_detail) or "–"
