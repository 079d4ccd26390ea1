"""Conversations: between one channel account and one person."""

from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.api.view import TenantView
from apps.accounts.roles import Scope
from apps.core.api.pagination import SiftedPages
from apps.messaging import conversations
from apps.messaging.api.filters import ContactFilters, ConversationFilters
from apps.messaging.api.messages import WITH_PARTIES
from apps.messaging.api.pages import LastActiveFirst
from apps.messaging.api.readers import ConversationReader, MessageReader, RecentConversationReader
from apps.messaging.contacts import reached_at
from apps.messaging.models import Conversation, Message
from apps.messaging.recent import Recent, recent, with_address


class ConversationView(TenantView[Conversation]):
    model = Conversation
    reader = ConversationReader

    def get_queryset(self) -> QuerySet[Conversation]:
        return super().get_queryset().select_related("account")


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
        wanted: dict[str, Any] = ConversationFilters.read(request)
        candidates = self.get_queryset()
        if "contact_id" in wanted:
            candidates = candidates.filter(contact=wanted["contact_id"])
        if "address" in wanted:
            reached = reached_at([self.principal.organization.id], wanted["address"])
            candidates = candidates.filter(contact__in=reached)
        sifted = Q(account=wanted["account_id"]) if "account_id" in wanted else Q()
        found = self.paginator.sift(candidates, sifted, request)
        return self.paginator.get_paginated_response(ConversationReader(found, many=True).data)


class RecentConversationsView(ConversationView):
    scopes = {"GET": Scope.MESSAGES_READ}
    pagination_class = LastActiveFirst
    paginator: LastActiveFirst

    @extend_schema(
        parameters=[ContactFilters],
        responses=RecentConversationReader(many=True),
        operation_id="conversations_recent_list",
    )
    def get(self, request: Request) -> Response:
        """Conversations with their last message, the last active first.

        Those of the organization's latest 2,000 messages; with an `address` all that there are with whoever is
        reached there. What becomes active while you read on is on the first page.
        """
        wanted: dict[str, Any] = ContactFilters.read(request)
        organization = self.principal.organization

        def read(most: int, before: UUID | None) -> list[Recent]:
            if "address" in wanted:
                return with_address(organization, wanted["address"], most=most, before=before)
            return recent(organization, most=most, before=before)

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


class CloseConversationView(ConversationView):
    scopes = {"POST": Scope.MESSAGES_WRITE}

    @extend_schema(request=None, responses=ConversationReader, operation_id="conversations_close")
    def post(self, request: Request, conversation_id: UUID) -> Response:
        """Close a conversation: nothing more is taken for it by its id. What waits in it is still sent."""
        conversation = conversations.close(self.principal, self.get_object(conversation_id))
        return Response(ConversationReader(conversation).data)


class ReopenConversationView(ConversationView):
    scopes = {"POST": Scope.MESSAGES_WRITE}

    @extend_schema(request=None, responses=ConversationReader, operation_id="conversations_reopen")
    def post(self, request: Request, conversation_id: UUID) -> Response:
        """Open a closed conversation again. Writing to the person's address does so too."""
        conversation = conversations.reopen(self.principal, self.get_object(conversation_id))
        return Response(ConversationReader(conversation).data)
