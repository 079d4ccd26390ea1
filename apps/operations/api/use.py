"""What the organization has used of its month."""

from datetime import datetime
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.api.view import ApiView
from apps.accounts.roles import Scope
from apps.core import clock
from apps.core.months import month_of
from apps.operations.quotas import used_this_month


class UseReader(serializers.Serializer[Any]):
    month_begins_at = serializers.DateTimeField()
    month_ends_at = serializers.DateTimeField(help_text="When the count begins again at none.")
    used_this_month = serializers.IntegerField(help_text="Messages accepted, as counted some seconds ago.")
    monthly_quota = serializers.IntegerField(allow_null=True, help_text="null: as many as you like.")
    quota_reached_at = serializers.DateTimeField(
        allow_null=True, help_text="Since when messages are refused this month; null where they are not."
    )


class UseView(ApiView):
    scopes = {"GET": Scope.ORGANIZATION_READ}

    @extend_schema(responses=UseReader, operation_id="organization_use_retrieve")
    def get(self, request: Request) -> Response:
        """How many messages were accepted this calendar month (UTC), and how many may be."""
        organization, month = self.principal.organization, month_of(clock.now())
        reached_at: datetime | None = organization.quota_reached_at
        use = {
            "month_begins_at": month.begins,
            "month_ends_at": month.ends,
            "used_this_month": used_this_month(organization.pk),
            "monthly_quota": organization.monthly_quota,
            "quota_reached_at": reached_at if reached_at and reached_at >= month.begins else None,
        }
        return Response(UseReader(use).data)
