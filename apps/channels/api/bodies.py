"""What callers send about channel accounts. Ranges are the model's; what fields say together, rules.py checks."""

from datetime import datetime
from typing import Any

from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import serializers

from apps.channels.api.reader import POLICY
from apps.channels.models import ChannelAccount
from apps.channels.registry import NAMES, choices
from apps.channels.rules import LONGEST_CREDENTIAL
from apps.core import clock
from apps.core.api.serializers import StrictSerializer


class ConnectorField(serializers.ChoiceField):
    default_error_messages = {
        "invalid_choice": format_lazy(gettext_lazy("Unknown connector. Known: {known}."), known=", ".join(NAMES))
    }


class CredentialsField(serializers.DictField):
    child = serializers.CharField(max_length=LONGEST_CREDENTIAL)


class ChannelAccountChange(StrictSerializer, serializers.ModelSerializer[ChannelAccount]):
    credentials = CredentialsField(
        required=False, help_text="Those that change, by name. Secret ones are never shown again."
    )

    class Meta:
        model = ChannelAccount
        fields = ["name", "credentials", *POLICY]


class NewChannelAccount(ChannelAccountChange):
    connector = ConnectorField(choices=choices())
    credentials = CredentialsField(help_text="By name, as the connector asks for them.")

    class Meta(ChannelAccountChange.Meta):
        fields = ["connector", *ChannelAccountChange.Meta.fields]
        # They start at what the provider allows.
        extra_kwargs = {"rate_per_second": {"required": False}, "burst": {"required": False}}


class Pause(StrictSerializer):
    reason = serializers.CharField(max_length=500)
    until = serializers.DateTimeField(required=False, allow_null=True, default=None)

    def validate_until(self, value: datetime | None) -> datetime | None:
        if value is not None and value <= clock.now():
            raise serializers.ValidationError(_("This is in the past."), code="in_the_past")
        return value


class Resume(StrictSerializer):
    keep_draining = serializers.BooleanField(
        default=False, help_text="Of a paused account that drains: send what waits, and go on taking nothing new."
    )


def wanted(body: StrictSerializer) -> dict[str, Any]:
    body.is_valid(raise_exception=True)
    return dict(body.validated_data)
