"""Routes: what comes in on one account goes on over another."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.api.view import TenantView
from apps.accounts.idempotency import idempotent
from apps.accounts.models import Organization
from apps.accounts.roles import Scope
from apps.accounts.tenancy import TenantModel
from apps.channels.addresses import LONGEST
from apps.channels.models import ChannelAccount
from apps.core.api.problems import field_error
from apps.core.api.serializers import StrictSerializer
from apps.messaging import routes
from apps.messaging.models import Conversation, Route


class RouteReader(serializers.ModelSerializer[Route]):
    source_account_id = serializers.UUIDField()
    source_conversation_id = serializers.UUIDField(allow_null=True)
    target_account_id = serializers.UUIDField()

    class Meta:
        model = Route
        fields = [
            "id", "name", "source_account_id", "source_conversation_id", "target_account_id", "target_address",
            "is_active", "created_at",
        ]  # fmt: skip
        read_only_fields = fields


class RouteBody(StrictSerializer):
    name = serializers.CharField(max_length=120)
    source_account_id = serializers.UUIDField(help_text="What comes in on this account…")
    source_conversation_id = serializers.UUIDField(
        required=False, allow_null=True, help_text="…or only in this conversation of it…"
    )
    target_account_id = serializers.UUIDField(help_text="…goes on over this account…")
    target_address = serializers.CharField(max_length=LONGEST, help_text="…to this person.")
    is_active = serializers.BooleanField(required=False)


class RouteView(TenantView[Route]):
    model = Route
    reader = RouteReader

    def get_queryset(self) -> QuerySet[Route]:
        return (
            super()
            .get_queryset()
            .select_related("organization", "source_account", "source_conversation", "target_account")
        )

    def wanted(self, request: Request, *, partial: bool = False) -> dict[str, Any]:
        """What is named by an id, found among what is the caller's."""
        body = RouteBody(data=request.data, partial=partial)
        body.is_valid(raise_exception=True)
        values: dict[str, Any] = dict(body.validated_data)
        for name, model in _NAMED.items():
            if f"{name}_id" in values:
                values[name] = _found(self.principal.organization, model, f"{name}_id", values.pop(f"{name}_id"))
        return values


_NAMED: dict[str, type[TenantModel]] = {
    "source_account": ChannelAccount,
    "source_conversation": Conversation,
    "target_account": ChannelAccount,
}


def _found(
    organization: Organization, model: type[TenantModel], field: str, pk: UUID | None
) -> TenantModel | None:
    if pk is None:
        return None
    found = model.objects.for_organization(organization).filter(pk=pk).first()
    if found is None:
        raise field_error(field, "not_found", f"There is no such {model._meta.verbose_name}.")
    return found


class RoutesView(RouteView):
    scopes = {"GET": Scope.CHANNELS_READ, "POST": Scope.CHANNELS_WRITE}

    @extend_schema(responses=RouteReader(many=True), operation_id="routes_list")
    def get(self, request: Request) -> Response:
        """All routes, newest first."""
        return self.page(request)

    @extend_schema(request=RouteBody, responses={201: RouteReader}, operation_id="routes_create")
    @idempotent
    def post(self, request: Request) -> Response:
        """Add a route. From now on what comes in goes on, and each status of it is told where it came in."""
        return Response(RouteReader(routes.add(self.principal, **self.wanted(request))).data, status=201)


class OneRouteView(RouteView):
    scopes = {"GET": Scope.CHANNELS_READ, "PATCH": Scope.CHANNELS_WRITE, "DELETE": Scope.CHANNELS_WRITE}

    @extend_schema(responses=RouteReader, operation_id="routes_retrieve")
    def get(self, request: Request, route_id: UUID) -> Response:
        """One route."""
        return Response(RouteReader(self.get_object(route_id)).data)

    @extend_schema(request=RouteBody(partial=True), responses=RouteReader, operation_id="routes_update")
    def patch(self, request: Request, route_id: UUID) -> Response:
        """Change a route, or switch it off and on by `is_active`."""
        route = routes.change(self.principal, self.get_object(route_id), **self.wanted(request, partial=True))
        return Response(RouteReader(route).data)

    @extend_schema(responses={204: None}, operation_id="routes_destroy")
    def delete(self, request: Request, route_id: UUID) -> Response:
        """Remove a route. What it took on is still sent."""
        routes.remove(self.principal, self.get_object(route_id))
        return Response(status=204)
