"""How the whole installation goes at this moment."""

from datetime import datetime

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.api.installation_view import InstallationView
from apps.operations import workers
from apps.operations.api.overview import OverviewQuery, OverviewReader
from apps.operations.beat import runs
from apps.operations.overview import Overview, overview
from apps.operations.traffic.read import Period


class InstallationOverviewReader(OverviewReader):
    workers = serializers.SerializerMethodField(
        help_text="The names of those that are alive; null while Redis, which knows them, does not answer."
    )
    beat_ran_at = serializers.SerializerMethodField(help_text="Null where it never did.")

    def get_workers(self, _found: Overview) -> list[str] | None:
        return workers.alive()

    def get_beat_ran_at(self, _found: Overview) -> datetime | None:
        return runs.beat_ran_at()


class InstallationOverviewView(InstallationView):
    @extend_schema(
        parameters=[OverviewQuery],
        responses=InstallationOverviewReader,
        operation_id="installation_overview_retrieve",
    )
    def get(self, request: Request) -> Response:
        """What /v1/overview tells, of all organizations together, and who works."""
        period = Period(OverviewQuery.read(request).get("period", Period.HOUR))
        return Response(InstallationOverviewReader(overview(None, period)).data)
