"""The organization one acts in, and who one is in it."""

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts import organizations
from apps.accounts.api.view import ApiView
from apps.accounts.models import Organization
from apps.accounts.models.audit_event import ActorKind
from apps.accounts.models.organization import LONGEST_RETENTION
from apps.accounts.principal import Principal
from apps.accounts.roles import Role, Scope
from apps.core.api.serializers import StrictSerializer


class SuspensionReader(serializers.Serializer[Organization]):
    at = serializers.DateTimeField(source="suspended_at")
    reason = serializers.CharField(source="suspend_reason")


class OrganizationReader(serializers.ModelSerializer[Organization]):
    suspended = serializers.SerializerMethodField(
        help_text="null, or since when and why it may only read: ask whoever runs the installation."
    )

    class Meta:
        model = Organization
        fields = ["id", "name", "slug", "created_at", "suspended", "monthly_quota", "message_retention_days"]
        extra_kwargs = {
            "monthly_quota": {"help_text": "Messages a calendar month (UTC); null: as many as you like."},
            "message_retention_days": {"help_text": "Older messages are deleted each night; null: kept for ever."},
        }

    @extend_schema_field(SuspensionReader(allow_null=True))
    def get_suspended(self, organization: Organization) -> Any:
        return None if organization.suspended_at is None else SuspensionReader(organization).data


class OrganizationChange(StrictSerializer):
    name = serializers.CharField(max_length=120, required=False)
    message_retention_days = serializers.IntegerField(
        min_value=1,
        max_value=LONGEST_RETENTION,
        required=False,
        allow_null=True,
        help_text="Older messages are deleted each night, for good. null: kept for ever.",
    )


class OrganizationView(ApiView):
    scopes = {"GET": Scope.ORGANIZATION_READ, "PATCH": Scope.ORGANIZATION_WRITE}

    @extend_schema(responses=OrganizationReader, operation_id="organization_retrieve")
    def get(self, request: Request) -> Response:
        """The organization that this token or key belongs to."""
        return Response(OrganizationReader(self.principal.organization).data)

    @extend_schema(request=OrganizationChange, responses=OrganizationReader, operation_id="organization_update")
    def patch(self, request: Request) -> Response:
        """Change its name, and how long messages are kept. What is left out stays."""
        body = OrganizationChange(data=request.data)
        body.is_valid(raise_exception=True)
        organization = organizations.change(self.principal, **body.validated_data)
        return Response(OrganizationReader(organization).data)


class Me(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=ActorKind.choices)
    id = serializers.UUIDField()
    label = serializers.CharField()  # type: ignore[assignment]
    role = serializers.ChoiceField(choices=Role.choices, allow_null=True)
    scopes = serializers.ListField(child=serializers.ChoiceField(choices=Scope.choices))
    organization = OrganizationReader()


class IsKnown(BasePermission):
    def has_permission(self, request: Request, view: object) -> bool:
        return isinstance(request.user, Principal)


class MeView(ApiView):
    permission_classes = (IsKnown,)

    @extend_schema(responses=Me, operation_id="me_retrieve")
    def get(self, request: Request) -> Response:
        """Who this token or key speaks for, and what it may do: the first call to make with a new key."""
        principal = self.principal
        return Response(
            {
                "kind": principal.actor.kind,
                "id": principal.actor.id,
                "label": principal.actor.label,
                "role": principal.role,
                "scopes": sorted(principal.scopes),
                "organization": OrganizationReader(principal.organization).data,
            }
        )
