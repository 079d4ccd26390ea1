"""How the bodies of messages are described to readers of the API. bodies.py is what reads them."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.channels import addresses
from apps.core.api.serializers import StrictSerializer
from apps.messaging.api.bodies import LARGEST_METADATA, LONGEST_REFERENCE, MOST_IN_BATCH, PRIORITIES


class NewMessageBody(StrictSerializer):
    text = serializers.RegexField(r"\S", trim_whitespace=False, help_text="As long as the channel carries.")
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
