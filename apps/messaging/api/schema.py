"""How the bodies of messages are described to readers of the API. bodies.py is what reads them."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.channels import addresses
from apps.channels.content import LONGEST_BUTTON_ID, LONGEST_BUTTON_TITLE, MediaKind
from apps.channels.registry import NAMES
from apps.core.api.serializers import StrictSerializer
from apps.messaging.api import content_bodies
from apps.messaging.api.bodies import (
    LARGEST_METADATA,
    LONGEST_DELIVERY,
    LONGEST_REFERENCE,
    MOST_IN_BATCH,
    SHORTEST_DELIVERY,
)
from apps.messaging.api.values import PRIORITIES
from apps.messaging.engine.new_message import SendAs
from apps.messaging.statuses import Category


class MediaBody(StrictSerializer):
    kind = serializers.ChoiceField(
        choices=[kind.value for kind in MediaKind], required=False, help_text="Needed with `url`."
    )
    url = serializers.CharField(
        required=False, max_length=content_bodies.LONGEST_URL, help_text="https, for everybody to reach."
    )
    file_id = serializers.UUIDField(required=False, help_text="Instead of `url`: a file that was uploaded.")
    file_name = serializers.CharField(
        required=False, allow_blank=True, trim_whitespace=False, max_length=content_bodies.LONGEST_FILE_NAME
    )
    media_type = serializers.CharField(required=False, max_length=121, help_text="With `url` only.")
    send_as = serializers.ChoiceField(
        choices=[way.value for way in SendAs],
        required=False,
        help_text="Of a file. `auto`: within the message where the channel carries that, else a link in its text.",
    )


class ButtonBody(StrictSerializer):
    id = serializers.CharField(max_length=LONGEST_BUTTON_ID, trim_whitespace=False)
    title = serializers.CharField(max_length=LONGEST_BUTTON_TITLE, trim_whitespace=False)


class TemplateBody(StrictSerializer):
    name = serializers.CharField(max_length=80, allow_blank=True, trim_whitespace=False)
    variables = serializers.DictField(required=False, help_text="Texts, numbers, true and false, by name.")
    language = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=10,
        trim_whitespace=False,
        help_text="The person's, if left out.",
    )
    version = serializers.IntegerField(required=False, min_value=1, help_text="The published one, if left out.")


class StepBody(StrictSerializer):
    account_id = serializers.UUIDField(required=False)
    channel = serializers.ChoiceField(choices=list(NAMES), required=False)
    to = serializers.CharField(
        required=False, allow_blank=True, trim_whitespace=False, max_length=addresses.LONGEST,
        help_text="Where the person is reached there; not needed where that is known.",
    )  # fmt: skip


class NewMessageBody(StrictSerializer):
    text = serializers.RegexField(
        r"\S",
        required=False,
        trim_whitespace=False,
        help_text="As long as the channel carries; with media, what is said about it. Not with a template.",
    )
    subject = serializers.CharField(
        required=False, allow_blank=True, trim_whitespace=False, max_length=content_bodies.LONGEST_SUBJECT
    )
    media = MediaBody(required=False, allow_null=True)
    buttons = ButtonBody(many=True, required=False, help_text="What the person may answer with by a touch.")
    template = TemplateBody(required=False, allow_null=True, help_text="Instead of a text.")
    template_fallback = TemplateBody(
        required=False, allow_null=True, help_text="What goes instead where the time to reply is over."
    )
    account_id = serializers.UUIDField(
        required=False, allow_null=True, help_text="Over which account, together with `to`."
    )
    to = serializers.CharField(
        required=False,
        allow_null=True,
        allow_blank=True,
        trim_whitespace=False,
        max_length=addresses.LONGEST,
        help_text="Whom: a phone number such as `+5511912345678`, or the channel's own id of a person.",
    )
    conversation_id = serializers.UUIDField(
        required=False, allow_null=True, help_text="Or, instead of both, the conversation that goes on."
    )
    reply_to = serializers.UUIDField(
        required=False, allow_null=True, help_text="The message of the same conversation that this one answers."
    )
    category = serializers.RegexField(
        r"^[a-z][a-z0-9_]{0,39}$",
        required=False,
        default=Category.TRANSACTIONAL,
        help_text="`transactional`, `billing`, `marketing` or one of your own: people choose what they want.",
    )
    fallback = StepBody(
        many=True, required=False, help_text="Tried one after the other where this way does not reach the person."
    )
    delivered_within = serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=SHORTEST_DELIVERY,
        max_value=LONGEST_DELIVERY,
        help_text="Seconds after which the next way is tried if nobody said `delivered`.",
    )
    priority = serializers.ChoiceField(choices=list(PRIORITIES), required=False, default="normal")
    scheduled_at = serializers.DateTimeField(
        required=False, allow_null=True, help_text="Not before then; at most a year ahead."
    )
    expires_at = serializers.DateTimeField(
        required=False, allow_null=True, help_text="Not after then; seven days after it is due, if you do not say."
    )
    reference = serializers.CharField(
        required=False,
        allow_blank=True,
        trim_whitespace=False,
        max_length=LONGEST_REFERENCE,
        help_text="Your own name for it, to find it by. It need not be unique.",
    )
    metadata = serializers.DictField(
        required=False, help_text=f"Your own labels, at most {LARGEST_METADATA} bytes of JSON."
    )


@extend_schema_field(
    {
        "description": "As in `POST /v1/messages`. Each is judged by itself, so anything is taken and answered.",
        "anyOf": [{"$ref": "#/components/schemas/NewMessageBodyRequest"}, {}],
    }
)
class InBatch(serializers.JSONField):
    pass


class BatchBody(serializers.Serializer[Any]):
    # Names the component that InBatch refers to.
    messages = serializers.ListField(child=InBatch(), min_length=1, max_length=MOST_IN_BATCH)


class AcceptedReader(serializers.Serializer[Any]):
    index = serializers.IntegerField(help_text="The place in what you sent, from 0.")
    id = serializers.UUIDField()
    conversation_id = serializers.UUIDField()


class MistakeReader(serializers.Serializer[Any]):
    pointer = serializers.CharField(help_text="What is wrong, as a JSON pointer into the body.")
    code = serializers.CharField()
    detail = serializers.CharField()


class RefusedReader(serializers.Serializer[Any]):
    index = serializers.IntegerField()
    errors = MistakeReader(many=True)  # type: ignore[assignment]


class BatchReader(serializers.Serializer[Any]):
    accepted = AcceptedReader(many=True)
    refused = RefusedReader(many=True)
