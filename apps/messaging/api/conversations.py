"""Conversations: between one channel account and one person."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.api.view import TenantView
from apps.accounts.roles import Scope
from apps.core.api.pagination import SiftedPages
from apps.core.api.problems import field_error
from apps.messaging import inbox
from apps.messaging.api.filters import ME, NOBODY, ConversationFilters
from apps.messaging.api.messages import WITH_PARTIES
from apps.messaging.api.pages import LastActiveFirst
from apps.messaging.api.readers import ConversationReader, MessageReader, RecentConversationReader
from apps.messaging.models import Conversation, Message
from apps.messaging.recent import Recent, recent
from apps.messaging.search import Narrowing, narrowed


class ConversationView(TenantView[Conversation]):
    model = Conversation
    reader = ConversationReader

    def get_queryset(self) -> QuerySet[Conversation]:
        return inbox.shown(super().get_queryset())

    def narrowing(self, request: Request) -> Narrowing:
        wanted: dict[str, Any] = ConversationFilters.read(request)
        if "assignee" in wanted:
            wanted["assignee"] = self._assignee(wanted["assignee"])
        return narrowed(self.principal.organization, wanted)

    def _assignee(self, said: str) -> UUID | None:
        if said == NOBODY:
            return None
        if said != ME:
            return UUID(said)
        member = inbox.membership_of(self.principal)
        if member is None:
            detail = _("An API key is no member: name the member whose conversations you want.")
            raise field_error("assignee", "no_member", detail)
        return member.pk


class ConversationsView(ConversationView):
    scopes = {"GET": Scope.MESSAGES_READ}
    pagination_class = SiftedPages
    paginator: SiftedPages

    @extend_schema(
        parameters=[ConversationFilters],
        responses=ConversationReader(many=True),
        operation_id="conversations_list",
    )
    def get(self, request: Request) -> Response:
        """Conversations, newest first. With a filter a page may hold fewer than `limit` while `next` leads on."""
        narrowing = self.narrowing(request)
        candidates = self.get_queryset().filter(narrowing.found)
        found = self.paginator.sift(candidates, narrowing.sifted, request)
        return self.paginator.get_paginated_response(ConversationReader(found, many=True).data)


class RecentConversationsView(ConversationView):
    scopes = {"GET": Scope.MESSAGES_READ}
    pagination_class = LastActiveFirst
    paginator: LastActiveFirst

    @extend_schema(
        parameters=[ConversationFilters],
        responses=RecentConversationReader(many=True),
        operation_id="conversations_recent_list",
    )
    def get(self, request: Request) -> Response:
        """Conversations with their last message, the last active first.

        Those of the organization's latest 2,000 messages. With a person (`address`, `name`, `contact_id`), a
        member as `assignee`, a `label` or `unread=true`, the newest 2,000 of those that there are, however long
        they have been silent. What becomes active while you read on is on the first page.
        """
        narrowing = self.narrowing(request)

        def read(most: int, before: UUID | None) -> list[Recent]:
            return recent(self.principal.organization, narrowing, most=most, before=before)

        found = self.paginator.cut(read, request)
        last = {each.conversation.id: each.last_message for each in found}
        reader = RecentConversationReader(
            [each.conversation for each in found], many=True, context={"last_messages": last}
        )
        return self.paginator.get_paginated_response(reader.data)


class OneConversationView(ConversationView):
    scopes = {"GET": Scope.MESSAGES_READ}

    @extend_schema(responses=ConversationReader, operation_id="conversations_retrieve")
    def get(self, request: Request, conversation_id: UUID) -> Response:
        """One conversation."""
        return Response(ConversationReader(self.get_object(conversation_id)).data)


class ConversationMessagesView(ConversationView):
    scopes = {"GET": Scope.MESSAGES_READ}

    @extend_schema(responses=MessageReader(many=True), operation_id="conversations_messages_list")
    def get(self, request: Request, conversation_id: UUID) -> Response:
        """The messages of a conversation, newest first."""
        conversation = self.get_object(conversation_id)
        messages = Message.objects.for_organization(self.principal.organization)
        messages = messages.filter(conversation=conversation).select_related(*WITH_PARTIES)
        rows = self.paginator.paginate_queryset(messages, request, self)
        return self.paginator.get_paginated_response(MessageReader(rows, many=True).data)
