from collections.abc import Sequence
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action, display

from apps.accounts.acting import principal_for
from apps.messaging import conversations
from apps.messaging.admin.base import AccountFilter, LongTableAdmin
from apps.messaging.admin.words import table_of
from apps.messaging.models import Conversation, Message
from apps.messaging.search import as_id, conversations_with

LAST_MESSAGES = 20


@admin.register(Conversation)
class ConversationAdmin(LongTableAdmin[Conversation]):
    list_display = ["address", "account", "state", "created_at"]
    list_filter = [AccountFilter]
    search_help_text = gettext_lazy("An id or an address, whole.")
    actions_detail = ["close_conversation", "reopen_conversation"]
    fields = ["id", "address", "account", "contact", "state", "created_at", "closed_at", "last_messages"]
    readonly_fields = ["id", "state", "created_at", "last_messages"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Conversation]:
        return super().get_queryset(request).select_related("account", "contact")

    def find(self, organizations: Sequence[UUID], text: str) -> Sequence[UUID]:
        named = as_id(text)
        return [*([named] if named else []), *conversations_with(organizations, text)]

    @action(description=gettext_lazy("Close"), permissions=["write"], url_path="close")
    def close_conversation(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        conversation = self.get_one(request, object_id)
        if request.method == "POST":
            conversations.close(principal_for(request, conversation.organization), conversation)
            messages.success(request, _("The conversation is closed."))
            return redirect(self.address_of(conversation))
        explanation = _("Nothing more is taken for it by its id. What waits in it is still sent.")
        return self.confirm(request, conversation, _("Close"), explanation)

    @action(description=gettext_lazy("Open again"), permissions=["write"], url_path="reopen")
    def reopen_conversation(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        conversation = self.get_one(request, object_id)
        if request.method == "POST":
            conversations.reopen(principal_for(request, conversation.organization), conversation)
            messages.success(request, _("The conversation is open again."))
            return redirect(self.address_of(conversation))
        explanation = _("Messages are taken for it again.")
        return self.confirm(request, conversation, _("Open again"), explanation, variant="primary")

    @display(description=gettext_lazy("state"), label={"open": "success", "closed": "info"})
    def state(self, conversation: Conversation) -> tuple[str, str]:
        return ("closed", _("closed")) if conversation.closed_at else ("open", _("open"))

    @admin.display(description=gettext_lazy("last messages"))
    def last_messages(self, conversation: Conversation) -> SafeString:
        newest = Message.across_organizations.filter(conversation=conversation).order_by("-id")
        return table_of(reversed(newest[:LAST_MESSAGES]))
