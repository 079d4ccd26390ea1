"""The organization one acts in, and who one is in it."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts import organizations
from apps.accounts.api.view import ApiView
from apps.accounts.models import Organization
from apps.accounts.models.audit_event import ActorKind
from apps.accounts.principal import Principal
from apps.accounts.roles import Role, Scope
from apps.core.api.serializers import StrictSerializer


class OrganizationReader(serializers.ModelSerializer[Organization]):
    class Meta:
        model = Organization
        fields = ["id", "name", "slug", "created_at"]


class OrganizationChange(StrictSerializer):
    name = serializers.CharField(max_length=120)


class OrganizationView(ApiView):
    scopes = {"GET": Scope.ORGANIZATION_READ, "PATCH": Scope.ORGANIZATION_WRITE}

    @extend_schema(responses=OrganizationReader, operation_id="organization_retrieve")
    def get(self, request: Request) -> Response:
        """The organization that this token or key belongs to."""
        return Response(OrganizationReader(self.principal.organization).data)

    @extend_schema(request=OrganizationChange, responses=OrganizationReader, operation_id="organization_update")
    def patch(self, request: Request) -> Response:
        """Change its name."""
        body = OrganizationChange(data=request.data)
        body.is_valid(raise_exception=True)
        organization = organizations.change(self.principal, name=body.validated_data["name"])
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
