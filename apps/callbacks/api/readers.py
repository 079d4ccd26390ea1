"""What the API shows of webhook endpoints and of what they were called with."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.callbacks.api.bodies import TYPES
from apps.callbacks.models import DeliveryState, DisabledBecause, WebhookDelivery, WebhookEndpoint


class WebhookEndpointReader(serializers.ModelSerializer[WebhookEndpoint]):
    """Everything but the secrets."""

    disabled_reason = serializers.ChoiceField(choices=DisabledBecause.choices, allow_blank=True)
    failing_since = serializers.DateTimeField(
        source="first_failed_at", allow_null=True, help_text="No call has succeeded since. Null while all is well."
    )
    previous_secret_until = serializers.DateTimeField(
        allow_null=True, help_text="Until then the secret before this one signs too."
    )

    class Meta:
        model = WebhookEndpoint
        fields = [
            "id", "url", "description", "event_types", "is_enabled", "disabled_at", "disabled_reason",
            "failing_since", "previous_secret_until", "created_at",
        ]  # fmt: skip
        read_only_fields = fields


class WebhookEndpointSecretReader(WebhookEndpointReader):
    """`secret` is in its context."""

    secret = serializers.SerializerMethodField(help_text="Shown this once. Keep it where secrets are kept.")

    class Meta(WebhookEndpointReader.Meta):
        fields = [*WebhookEndpointReader.Meta.fields, "secret"]
        read_only_fields = fields

    def get_secret(self, _endpoint: WebhookEndpoint) -> str:
        return str(self.context["secret"])


class WebhookDeliveryReader(serializers.ModelSerializer[WebhookDelivery]):
    endpoint_id = serializers.UUIDField()
    webhook_id = serializers.CharField(source="event_id", help_text="The same in every attempt.")
    type = serializers.ChoiceField(choices=TYPES)
    state = serializers.ChoiceField(choices=DeliveryState.choices)
    next_attempt_at = serializers.SerializerMethodField(help_text="Null once it is over.")

    class Meta:
        model = WebhookDelivery
        fields = [
            "id", "endpoint_id", "webhook_id", "type", "state", "attempts", "next_attempt_at", "last_status",
            "last_error", "milliseconds", "created_at", "finished_at",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_next_attempt_at(self, delivery: WebhookDelivery) -> Any:
        return delivery.due_at if delivery.state == DeliveryState.WAITING else None


class WholeWebhookDeliveryReader(WebhookDeliveryReader):
    class Meta(WebhookDeliveryReader.Meta):
        fields = [*WebhookDeliveryReader.Meta.fields, "payload", "last_response"]
        read_only_fields = fields
        extra_kwargs = {
            "payload": {"help_text": "The body, as it is sent and signed."},
            "last_response": {"help_text": "The first 1,000 characters of the last answer."},
        }


class WebhooksReplayedReader(serializers.Serializer[Any]):
    matched = serializers.IntegerField(help_text="Of very many, the first 100,000.")
    replayed = serializers.IntegerField()
    remaining = serializers.IntegerField(help_text="Ask again to go on with these.")
