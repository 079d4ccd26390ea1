"""How it goes at this moment, for dashboards of one's own."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.api.view import ApiView
from apps.accounts.roles import Scope
from apps.messaging.api.filters import Filters
from apps.operations.overview import Overview, overview
from apps.operations.traffic.latency import BUCKETS
from apps.operations.traffic.read import Period

_SLOWEST = f"In seconds, up to {BUCKETS[-1]:.0f}; null where nothing left, or where it took longer."


class OverviewQuery(Filters):
    period = serializers.ChoiceField(
        [str(period) for period in Period], required=False, help_text="`hour` unless said."
    )


class SumsReader(serializers.Serializer[Any]):
    accepted = serializers.IntegerField()
    received = serializers.IntegerField()
    sent = serializers.IntegerField()
    delivered = serializers.IntegerField()
    read = serializers.IntegerField()
    failed = serializers.IntegerField()
    dropped = serializers.IntegerField(help_text="Cancelled or expired.")
    retried = serializers.IntegerField()


class MomentReader(serializers.Serializer[Any]):
    starts_at = serializers.DateTimeField()
    sums = SumsReader()


class AccountTrafficReader(serializers.Serializer[Any]):
    account_id = serializers.UUIDField(source="id")
    name = serializers.CharField()
    channel = serializers.CharField(source="connector")
    sums = SumsReader()
    p95 = serializers.SerializerMethodField(help_text=_SLOWEST)
    waiting = serializers.IntegerField()
    oldest_due_at = serializers.DateTimeField(
        allow_null=True, help_text="Since when the first of those that could leave waits."
    )
    paused_because = serializers.CharField(help_text="Empty where it is live.")
    draining_because = serializers.CharField(help_text="Empty where it takes new messages.")
    breaker = serializers.CharField(help_text="`open` or `half_open` while the provider fails; else empty.")

    def get_p95(self, row: Any) -> float | None:
        return _finite(row.p95)


class OverviewReader(serializers.Serializer[Overview]):
    period = serializers.ChoiceField([str(period) for period in Period])
    sums = SumsReader()
    per_minute = serializers.FloatField(help_text="Sent, in the last five whole minutes.")
    delivery_rate = serializers.FloatField(
        allow_null=True, help_text="Of those sent on channels that tell; null where none was."
    )
    p50 = serializers.SerializerMethodField(help_text=_SLOWEST)
    p95 = serializers.SerializerMethodField(help_text=_SLOWEST)
    waiting = serializers.IntegerField()
    scheduled = serializers.IntegerField()
    oldest_due_at = serializers.DateTimeField(allow_null=True)
    dead_letters = serializers.DictField(
        child=serializers.IntegerField(), help_text="Open ones, by the class of the error."
    )
    points = MomentReader(many=True, help_text="Minutes of an hour, else hours; the last is not over.")
    accounts = AccountTrafficReader(many=True, help_text="Those with most to do first, fifty at most.")
    looked_at = serializers.DateTimeField(allow_null=True, help_text="When what waits was counted.")

    def get_p50(self, found: Overview) -> float | None:
        return _finite(found.p50)

    def get_p95(self, found: Overview) -> float | None:
        return _finite(found.p95)


class OverviewView(ApiView):
    scopes = {"GET": Scope.MESSAGES_READ}

    @extend_schema(parameters=[OverviewQuery], responses=OverviewReader, operation_id="overview_retrieve")
    def get(self, request: Request) -> Response:
        """How much comes and goes, how fast, what waits, and what is wrong: what the admin's first page shows."""
        period = Period(OverviewQuery.read(request).get("period", Period.HOUR))
        return Response(OverviewReader(overview(self.principal.organization.id, period)).data)


def _finite(seconds: float | None) -> float | None:
    return None if seconds == float("inf") else seconds
