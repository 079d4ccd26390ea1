"""An organization's storage: what is taken, what may be, and how long files stay."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.api.view import ApiView
from apps.accounts.roles import Scope
from apps.core.api.serializers import StrictSerializer
from apps.files import policies
from apps.files.models import StoragePolicy

_MOST = 2**50
_LONGEST_DAYS = 36_500


class StoragePolicyBody(StrictSerializer):
    largest_bytes = serializers.IntegerField(
        min_value=1, max_value=_MOST, allow_null=True, required=False, help_text="Null: as the installation says."
    )
    most_bytes = serializers.IntegerField(
        min_value=1, max_value=_MOST, allow_null=True, required=False, help_text="Null: no limit."
    )
    keep_days = serializers.IntegerField(
        min_value=1,
        max_value=_LONGEST_DAYS,
        allow_null=True,
        required=False,
        help_text="After so many days every file goes, also where messages refer to it. Null: never.",
    )
    unused_days = serializers.IntegerField(
        min_value=1,
        max_value=_LONGEST_DAYS,
        allow_null=True,
        required=False,
        help_text="For files that no message refers to. Null: as the installation says.",
    )


class StoragePolicyReader(serializers.ModelSerializer[StoragePolicy]):
    stored_bytes = serializers.IntegerField(help_text="Of all files of the organization.")

    class Meta:
        model = StoragePolicy
        fields = [*policies.CHANGEABLE, "stored_bytes"]
        read_only_fields = fields


class StoragePolicyView(ApiView):
    scopes = {"GET": Scope.ORGANIZATION_READ, "PATCH": Scope.ORGANIZATION_WRITE}

    @extend_schema(responses=StoragePolicyReader, operation_id="storage_policy_retrieve")
    def get(self, request: Request) -> Response:
        """What your organization stores, and may."""
        return Response(StoragePolicyReader(policies.policy_of(self.principal.organization)).data)

    @extend_schema(
        request=StoragePolicyBody, responses=StoragePolicyReader, operation_id="storage_policy_partial_update"
    )
    def patch(self, request: Request) -> Response:
        """Change limits, or how long files stay. Files that are over a new limit stay; the next are refused."""
        body = StoragePolicyBody(data=request.data)
        body.is_valid(raise_exception=True)
        return Response(StoragePolicyReader(policies.change(self.principal, **body.validated_data)).data)
