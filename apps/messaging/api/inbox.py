"""What members do with conversations."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.principal import Principal
from apps.accounts.roles import Scope
from apps.core.api.problems import field_error
from apps.core.api.serializers import StrictSerializer
from apps.messaging import conversations, inbox
from apps.messaging.api.conversations import ConversationView
from apps.messaging.api.readers import ConversationReader
from apps.messaging.inbox import Changed
from apps.messaging.labels import MOST_LABELS

MOST_AT_ONCE = 500


class AssignBody(StrictSerializer):
    member_id = serializers.UUIDField(allow_null=True, help_text="Null: nobody takes care of it any more.")


class LabelsBody(StrictSerializer):
    labels = serializers.ListField(child=serializers.UUIDField(), max_length=MOST_LABELS)


class BulkBody(StrictSerializer):
    ids = serializers.ListField(child=serializers.UUIDField(), min_length=1, max_length=MOST_AT_ONCE)
    action = serializers.ChoiceField(choices=["assign", "label", "read", "close", "reopen"])
    member_id = serializers.UUIDField(required=False, allow_null=True, help_text="Only to assign; null: nobody.")
    labels = serializers.ListField(
        child=serializers.UUIDField(),
        required=False,
        min_length=1,
        max_length=MOST_LABELS,
        help_text="Only to label: these are added.",
    )

    def validate(self, said: dict[str, Any]) -> dict[str, Any]:
        """Each action has its own field, or none."""
        needed = {"assign": "member_id", "label": "labels"}.get(said["action"])
        if needed is not None and needed not in said:
            raise field_error(needed, "required", str(serializers.Field.default_error_messages["required"]))
        return said


class ChangedReader(serializers.Serializer[Any]):
    changed = serializers.IntegerField(source="count", help_text="How many were not so before.")
    unknown = serializers.ListField(child=serializers.UUIDField(), help_text="Those that do not exist.")


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


class AssignConversationView(ConversationView):
    scopes = {"POST": Scope.MESSAGES_WRITE}

    @extend_schema(request=AssignBody, responses=ConversationReader, operation_id="conversations_assign")
    def post(self, request: Request, conversation_id: UUID) -> Response:
        """Say which member takes care of a conversation."""
        conversation = self.get_object(conversation_id)
        body = AssignBody(data=request.data)
        body.is_valid(raise_exception=True)
        inbox.assign(self.principal, conversation, body.validated_data["member_id"])
        return Response(ConversationReader(self.get_object(conversation_id)).data)


class ReadConversationView(ConversationView):
    scopes = {"POST": Scope.MESSAGES_WRITE}

    @extend_schema(request=None, responses=ConversationReader, operation_id="conversations_read")
    def post(self, request: Request, conversation_id: UUID) -> Response:
        """All of a conversation has been read. The person is told nothing."""
        inbox.mark_read(self.principal, self.get_object(conversation_id))
        return Response(ConversationReader(self.get_object(conversation_id)).data)


class ConversationLabelsView(ConversationView):
    scopes = {"PUT": Scope.MESSAGES_WRITE}

    @extend_schema(request=LabelsBody, responses=ConversationReader, operation_id="conversations_labels_update")
    def put(self, request: Request, conversation_id: UUID) -> Response:
        """Give a conversation these labels, and take all others away."""
        conversation = self.get_object(conversation_id)
        body = LabelsBody(data=request.data)
        body.is_valid(raise_exception=True)
        inbox.set_labels(self.principal, conversation, body.validated_data["labels"])
        return Response(ConversationReader(self.get_object(conversation_id)).data)


class ManyConversationsView(ConversationView):
    scopes = {"POST": Scope.MESSAGES_WRITE}

    @extend_schema(request=BulkBody, responses=ChangedReader, operation_id="conversations_bulk")
    def post(self, request: Request) -> Response:
        """The same for up to 500 conversations: assign, label, mark as read, close or open them again."""
        body = BulkBody(data=request.data)
        body.is_valid(raise_exception=True)
        wanted = body.validated_data
        return Response(ChangedReader(_BULK[wanted["action"]](self.principal, wanted)).data)


_BULK: Mapping[str, Callable[[Principal, dict[str, Any]], Changed]] = {
    "assign": lambda principal, wanted: inbox.assign_many(principal, wanted["ids"], wanted["member_id"]),
    "label": lambda principal, wanted: inbox.label_many(principal, wanted["ids"], wanted["labels"]),
    "read": lambda principal, wanted: inbox.read_many(principal, wanted["ids"]),
    "close": lambda principal, wanted: inbox.close_many(principal, wanted["ids"]),
    "reopen": lambda principal, wanted: inbox.reopen_many(principal, wanted["ids"]),
}
