"""What the API shows of messages, of those they go to, and of those that could not be sent."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.accounts.models import Membership
from apps.channels.registry import choices
from apps.messaging.api.values import PRIORITIES
from apps.messaging.inbox import window_of
from apps.messaging.models import (
    Contact,
    ContactAddress,
    Conversation,
    ConversationNote,
    DeadLetter,
    Label,
    Message,
    MessageEvent,
)
from apps.messaging.statuses import EventKind, Priority

CHANNEL = "The connector of the account."


class ErrorReader(serializers.Serializer[Any]):
    """Of a message, a dead letter or an attempt: the class decides what happens, the rest is the provider's."""

    # `class` is a word of Python's.
    def get_fields(self) -> dict[str, Any]:
        return {
            "class": serializers.CharField(source="error_class"),
            "code": serializers.CharField(source="error_code", allow_blank=True),
            "detail": serializers.CharField(source="error_detail", allow_blank=True),
        }


class MessageReader(serializers.ModelSerializer[Message]):
    conversation_id = serializers.UUIDField()
    account_id = serializers.UUIDField()
    channel = serializers.ChoiceField(choices=choices(), source="account.connector", help_text=CHANNEL)
    to = serializers.CharField(source="conversation.address")
    priority = serializers.SerializerMethodField()
    content = serializers.DictField(
        help_text="Besides the text: `subject`, `media`, `buttons`, `template`, the `button` that was touched."
    )
    reply_to = serializers.UUIDField(source="reply_to_id", allow_null=True)
    forwarded_from = serializers.UUIDField(source="forwarded_from_id", allow_null=True)
    fallback_of = serializers.UUIDField(source="fallback_of_id", allow_null=True)
    metadata = serializers.DictField()
    error = serializers.SerializerMethodField(help_text="Why it failed; null unless it did.")

    class Meta:
        model = Message
        fields = [
            "id", "conversation_id", "account_id", "channel", "direction", "to", "status", "text", "content",
            "category", "reply_to", "forwarded_from", "fallback_of", "priority", "reference", "metadata",
            "scheduled_at", "expires_at", "provider_id", "error", "created_at",
        ]  # fmt: skip
        read_only_fields = fields

    def to_representation(self, message: Message) -> dict[str, Any]:
        """By hand, for it is on the way of every message: a twentieth of the time that the fields take.

        The fields describe it; a test holds the two together.
        """
        return {
            "id": message.id,
            "conversation_id": message.conversation_id,
            "account_id": message.account_id,
            "channel": message.account.connector,
            "direction": message.direction,
            "to": message.conversation.address,
            "status": message.status,
            "text": message.text,
            "content": message.content,
            "category": message.category,
            "reply_to": message.reply_to_id,
            "forwarded_from": message.forwarded_from_id,
            "fallback_of": message.fallback_of_id,
            "priority": self.get_priority(message),
            "reference": message.reference,
            "metadata": message.metadata,
            "scheduled_at": message.scheduled_at,
            "expires_at": message.expires_at,
            "provider_id": message.provider_id,
            "error": self.get_error(message),
            "created_at": message.created_at,
        }

    @extend_schema_field(serializers.ChoiceField(choices=list(PRIORITIES)))
    def get_priority(self, message: Message) -> str:
        return Priority(message.priority).name.lower()

    @extend_schema_field(ErrorReader(allow_null=True))
    def get_error(self, message: Message) -> Mapping[str, str] | None:
        if not message.error_class:
            return None
        return {"class": message.error_class, "code": message.error_code, "detail": message.error_detail}


class EventReader(serializers.ModelSerializer[MessageEvent]):
    message_id = serializers.UUIDField()
    detail = serializers.DictField(
        help_text="Of an attempt: `error`, `code` and `detail`, the provider's `answer` (`status` and how its "
        "`body` begins) where it said no, how long it took (`ms`), the wait in `seconds`, which `drain` it was."
    )

    class Meta:
        model = MessageEvent
        fields = ["message_id", "kind", "at", "attempt", "detail"]
        read_only_fields = fields


class AddressReader(serializers.ModelSerializer[ContactAddress]):
    class Meta:
        model = ContactAddress
        fields = ["id", "kind", "value"]
        read_only_fields = fields


class ContactReader(serializers.ModelSerializer[Contact]):
    addresses = AddressReader(many=True)

    class Meta:
        model = Contact
        fields = ["id", "name", "language", "time_zone", "addresses", "created_at"]
        read_only_fields = fields


class LabelReader(serializers.ModelSerializer[Label]):
    class Meta:
        model = Label
        fields = ["id", "name", "color"]
        read_only_fields = fields


class NamedReader(serializers.Serializer[Any]):
    """A member by the name that the organization knows them by, or a contact."""

    id = serializers.UUIDField()
    name = serializers.SerializerMethodField()

    def get_name(self, named: Membership | Contact) -> str:
        return named.name if isinstance(named, Contact) else str(named)


class WindowReader(serializers.Serializer[Any]):
    is_open = serializers.BooleanField()
    closes_at = serializers.DateTimeField(allow_null=True, help_text="Null where the person never wrote.")


class ConversationReader(serializers.ModelSerializer[Conversation]):
    """Of what `inbox.shown` reads."""

    account_id = serializers.UUIDField()
    contact_id = serializers.UUIDField()
    channel = serializers.ChoiceField(choices=choices(), source="account.connector", help_text=CHANNEL)
    contact = NamedReader()
    assignee = NamedReader(allow_null=True, help_text="The member who takes care of it.")
    labels = LabelReader(many=True)
    window = serializers.SerializerMethodField(
        help_text="The time in which people may be written to freely; null where the channel knows none."
    )

    class Meta:
        model = Conversation
        fields = [
            "id", "account_id", "channel", "contact_id", "contact", "address", "assignee", "labels",
            "unread_count", "last_inbound_at", "window", "closed_at", "created_at",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(WindowReader(allow_null=True))
    def get_window(self, conversation: Conversation) -> Any:
        window = window_of(conversation)
        return None if window is None else WindowReader(window).data


class NoteReader(serializers.ModelSerializer[ConversationNote]):
    conversation_id = serializers.UUIDField()
    author = NamedReader(allow_null=True, help_text="Null where an API key wrote it, or the member has left.")

    class Meta:
        model = ConversationNote
        fields = ["id", "conversation_id", "author", "text", "created_at"]
        read_only_fields = fields


class LastMessageReader(serializers.ModelSerializer[Message]):
    class Meta:
        model = Message
        fields = ["id", "direction", "text", "status", "created_at"]
        read_only_fields = fields


class RecentConversationReader(ConversationReader):
    """`last_messages` are in its context, by conversation."""

    last_message = serializers.SerializerMethodField(help_text="Null where nothing was accepted yet.")

    class Meta(ConversationReader.Meta):
        fields = [*ConversationReader.Meta.fields, "last_message"]
        read_only_fields = fields

    @extend_schema_field(LastMessageReader(allow_null=True))
    def get_last_message(self, conversation: Conversation) -> Any:
        last = self.context["last_messages"].get(conversation.id)
        return None if last is None else LastMessageReader(last).data


class DeadLetterReader(serializers.ModelSerializer[DeadLetter]):
    message_id = serializers.UUIDField()
    conversation_id = serializers.UUIDField(source="message.conversation_id")
    account_id = serializers.UUIDField()
    channel = serializers.ChoiceField(choices=choices(), source="account.connector", help_text=CHANNEL)
    to = serializers.CharField(source="message.conversation.address")
    error = ErrorReader(source="*")

    class Meta:
        model = DeadLetter
        fields = [
            "id", "message_id", "conversation_id", "account_id", "channel", "to", "state", "error", "attempts",
            "replays", "discard_reason", "created_at", "changed_at",
        ]  # fmt: skip
        read_only_fields = fields


class AttemptReader(serializers.Serializer[Any]):
    attempt = serializers.IntegerField(help_text="0 where a receipt told of it later.")
    at = serializers.DateTimeField()
    outcome = serializers.ChoiceField(choices=EventKind.choices)
    milliseconds = serializers.IntegerField(allow_null=True)
    error = ErrorReader(allow_null=True)


class DeadLetterStoryReader(DeadLetterReader):
    """`tried` is in its context: one letter is read with its story, a list without."""

    tried = serializers.SerializerMethodField(help_text="Every attempt and what came of it, oldest first.")

    class Meta(DeadLetterReader.Meta):
        fields = [*DeadLetterReader.Meta.fields, "tried"]

    @extend_schema_field(AttemptReader(many=True))
    def get_tried(self, _letter: DeadLetter) -> Any:
        return AttemptReader(self.context["tried"], many=True).data
