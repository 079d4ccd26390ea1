"""Keys for programs."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts import api_keys
from apps.accounts.api.view import TenantView
from apps.accounts.idempotency import idempotent
from apps.accounts.models import ApiKey
from apps.accounts.roles import Scope
from apps.core import clock
from apps.core.api.serializers import StrictSerializer

LONGEST_OVERLAP = timedelta(days=30)


class ApiKeyReader(serializers.ModelSerializer[ApiKey]):
    class Meta:
        model = ApiKey
        fields = [
            "id",
            "name",
            "prefix",
            "scopes",
            "created_at",
            "expires_at",
            "revoked_at",
            "last_used_at",
            "replaces",
        ]
        read_only_fields = fields


class NewApiKeyReader(ApiKeyReader):
    key = serializers.SerializerMethodField(help_text="Shown this once. Keep it where secrets are kept.")

    class Meta(ApiKeyReader.Meta):
        fields = [*ApiKeyReader.Meta.fields, "key"]

    def get_key(self, _key: ApiKey) -> str:
        return str(self.context["text"])


class NewApiKey(StrictSerializer):
    name = serializers.CharField(max_length=120)
    scopes = serializers.ListField(
        child=serializers.ChoiceField(choices=Scope.choices), allow_empty=False, max_length=len(Scope)
    )
    expires_at = serializers.DateTimeField(required=False, allow_null=True, default=None)

    def validate_expires_at(self, value: datetime | None) -> datetime | None:
        if value is not None and value <= clock.now():
            raise serializers.ValidationError(_("This is in the past."), code="in_the_past")
        return value


class Rotation(StrictSerializer):
    overlap_seconds = serializers.IntegerField(
        min_value=0,
        max_value=int(LONGEST_OVERLAP.total_seconds()),
        default=int(api_keys.ROTATION_OVERLAP.total_seconds()),
        help_text="How long the old key works beside the new one.",
    )


class KeyView(TenantView[ApiKey]):
    model = ApiKey
    reader = ApiKeyReader


class ApiKeysView(KeyView):
    scopes = {"GET": Scope.API_KEYS_READ, "POST": Scope.API_KEYS_WRITE}

    @extend_schema(responses=ApiKeyReader(many=True), operation_id="api_keys_list")
    def get(self, request: Request) -> Response:
        """All keys, newest first, without their secrets."""
        return self.page(request)

    @extend_schema(request=NewApiKey, responses={201: NewApiKeyReader}, operation_id="api_keys_create")
    @idempotent
    def post(self, request: Request) -> Response:
        """Create a key. Its text is in this answer and nowhere else."""
        body = NewApiKey(data=request.data)
        body.is_valid(raise_exception=True)
        wanted = body.validated_data
        return _shown_once(
            *api_keys.issue(
                self.principal, name=wanted["name"], scopes=wanted["scopes"], expires_at=wanted["expires_at"]
            )
        )


class OneApiKeyView(KeyView):
    scopes = {"GET": Scope.API_KEYS_READ, "DELETE": Scope.API_KEYS_WRITE}

    @extend_schema(responses=ApiKeyReader, operation_id="api_keys_retrieve")
    def get(self, request: Request, key_id: UUID) -> Response:
        """One key, without its secret."""
        return Response(ApiKeyReader(self.get_object(key_id)).data)

    @extend_schema(responses={204: None}, operation_id="api_keys_revoke")
    def delete(self, request: Request, key_id: UUID) -> Response:
        """Revoke a key, from the next request on. It stays in the list."""
        api_keys.revoke(self.principal, self.get_object(key_id))
        return Response(status=204)


class RotateApiKeyView(KeyView):
    scopes = {"POST": Scope.API_KEYS_WRITE}

    @extend_schema(request=Rotation, responses={201: NewApiKeyReader}, operation_id="api_keys_rotate")
    @idempotent
    def post(self, request: Request, key_id: UUID) -> Response:
        """Replace a key: the new one has the same name and scopes, the old one works on for a while."""
        key = self.get_object(key_id)
        body = Rotation(data=request.data)
        body.is_valid(raise_exception=True)
        overlap = timedelta(seconds=body.validated_data["overlap_seconds"])
        return _shown_once(*api_keys.rotate(self.principal, key, overlap=overlap))


def _shown_once(key: ApiKey, text: str) -> Response:
    data: dict[str, Any] = NewApiKeyReader(key, context={"text": text}).data
    return Response(data, status=201, headers={"Cache-Control": "no-store"})
