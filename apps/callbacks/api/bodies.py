"""What callers send about webhook endpoints, and what lists of deliveries may be narrowed down to."""

from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers

from apps.callbacks.deliveries import MOST_AT_ONCE
from apps.callbacks.event_types import TEST_PING, EventType
from apps.callbacks.models import DeliveryState
from apps.callbacks.models.endpoint import LONGEST_URL
from apps.core.api.serializers import StrictSerializer
from apps.messaging.api.filters import Filters

TYPES = [*EventType.choices, (TEST_PING, TEST_PING)]
_ENDED = [state for state in DeliveryState.choices if state[0] in {DeliveryState.DELIVERED, DeliveryState.FAILED}]


class NewWebhookEndpoint(StrictSerializer):
    url = serializers.CharField(
        max_length=LONGEST_URL, trim_whitespace=False, help_text="https, at a public address."
    )
    description = serializers.CharField(max_length=200, required=False, allow_blank=True)
    event_types = serializers.ListField(
        child=serializers.ChoiceField(choices=EventType.choices),
        required=False,
        max_length=len(EventType),
        help_text="Which events to call it with. Empty: all.",
    )

    def validate_event_types(self, value: list[str]) -> list[str]:
        return sorted(set(value))


class WebhookReplayQuery(StrictSerializer):
    since = serializers.DateTimeField()
    until = serializers.DateTimeField(required=False)
    state = serializers.ChoiceField(choices=_ENDED, default=DeliveryState.FAILED)
    dry_run = serializers.BooleanField(
        default=True, help_text=f"Only count: say `false` to send the oldest {MOST_AT_ONCE} again."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "until" in attrs and attrs["until"] <= attrs["since"]:
            raise serializers.ValidationError({"until": [_("This is not after `since`.")]}, code="bad_range")
        return attrs


class WebhookDeliveryFilters(Filters):
    state = serializers.ChoiceField(choices=DeliveryState.choices, required=False)
    type = serializers.ChoiceField(choices=TYPES, required=False)
    created_after = serializers.DateTimeField(required=False)
    created_before = serializers.DateTimeField(required=False)


def wanted(body: StrictSerializer) -> dict[str, Any]:
    body.is_valid(raise_exception=True)
    return dict(body.validated_data)
