"""What the API shows of a channel account: everything but its secrets."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.channels.models import ChannelAccount
from apps.channels.reachability import Finding
from apps.core import clock

POLICY = [
    "rate_per_second",
    "burst",
    "recipient_rate_per_second",
    "recipient_burst",
    "daily_quota",
    "breaker_failures",
    "breaker_seconds",
    "retry_attempts",
    "retry_base_ms",
    "ordering",
    "on_unknown",
    "unknown_wait",
    "reply_window",
]


class PauseReader(serializers.Serializer[Any]):
    at = serializers.DateTimeField(source="paused_at")
    until = serializers.DateTimeField(source="paused_until", allow_null=True)
    reason = serializers.CharField(source="pause_reason")
    is_refused = serializers.BooleanField(
        help_text="It paused itself: the provider refused it, and `reason` is what the provider said."
    )


class DrainReader(serializers.Serializer[Any]):
    at = serializers.DateTimeField(source="draining_at")
    until = serializers.DateTimeField(source="draining_until", allow_null=True)
    reason = serializers.CharField(source="drain_reason")


class ChannelAccountReader(serializers.ModelSerializer[ChannelAccount]):
    credentials = serializers.DictField(
        source="public_credentials", child=serializers.CharField(), help_text="Those that are not secret."
    )
    paused = serializers.SerializerMethodField(help_text="Null while messages leave.")
    draining = serializers.SerializerMethodField(help_text="Null while new messages are accepted.")
    callback_url = serializers.CharField(help_text="Where the provider reports; to be set there.")

    class Meta:
        model = ChannelAccount
        fields = ["id", "connector", "name", "credentials", *POLICY, "paused", "draining", "created_at",
                  "callback_url"]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(PauseReader(allow_null=True))
    def get_paused(self, account: ChannelAccount) -> dict[str, Any] | None:
        return PauseReader(account).data if account.is_paused(clock.now()) else None

    @extend_schema_field(DrainReader(allow_null=True))
    def get_draining(self, account: ChannelAccount) -> dict[str, Any] | None:
        return DrainReader(account).data if account.is_draining(clock.now()) else None


class VerificationError(serializers.Serializer[Any]):
    # `class` is a word of Python's.
    def get_fields(self) -> dict[str, Any]:
        return {
            "class": serializers.CharField(source="name"),
            "code": serializers.CharField(allow_blank=True),
            "detail": serializers.CharField(allow_blank=True),
        }


class VerificationReader(serializers.Serializer[Any]):
    ok = serializers.BooleanField()
    error = VerificationError(allow_null=True)


class ConnectionReader(VerificationReader):
    connected = serializers.BooleanField(help_text="The provider knows now where to call.")
    callback_url = serializers.CharField(help_text="Where it calls.")


class CallbackCheckReader(serializers.Serializer[Any]):
    ok = serializers.BooleanField(help_text="This installation answered at `callback_url`.")
    code = serializers.ChoiceField(
        choices=[each.value for each in Finding], help_text="For programs; `reachable` where nothing is wrong."
    )
    detail = serializers.CharField(help_text="What was found, and what to do.")
    callback_url = serializers.CharField(allow_blank=True, help_text="What was called.")
