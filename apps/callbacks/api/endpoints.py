"""Webhook endpoints: where an application wants to be told of what happens."""

from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.api.view import TenantView
from apps.accounts.idempotency import idempotent
from apps.accounts.roles import Scope
from apps.callbacks import deliveries, endpoints
from apps.callbacks.api.bodies import NewWebhookEndpoint, wanted
from apps.callbacks.api.readers import (
    WebhookEndpointReader,
    WebhookEndpointSecretReader,
    WholeWebhookDeliveryReader,
)
from apps.callbacks.models import WebhookEndpoint


class EndpointView(TenantView[WebhookEndpoint]):
    model = WebhookEndpoint
    reader = WebhookEndpointReader

    def get_queryset(self) -> QuerySet[WebhookEndpoint]:
        return super().get_queryset().select_related("organization").defer(*endpoints.SECRETS)


class EndpointsView(EndpointView):
    scopes = {"GET": Scope.WEBHOOKS_READ, "POST": Scope.WEBHOOKS_WRITE}

    @extend_schema(responses=WebhookEndpointReader(many=True), operation_id="webhook_endpoints_list")
    def get(self, request: Request) -> Response:
        """All endpoints, newest first, without their secrets."""
        return self.page(request)

    @extend_schema(
        request=NewWebhookEndpoint,
        responses={201: WebhookEndpointSecretReader},
        operation_id="webhook_endpoints_create",
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Add an endpoint. The secret that calls to it are signed with is in this answer and nowhere else."""
        return _shown_once(*endpoints.add(self.principal, **wanted(NewWebhookEndpoint(data=request.data))))


class OneEndpointView(EndpointView):
    scopes = {"GET": Scope.WEBHOOKS_READ, "PATCH": Scope.WEBHOOKS_WRITE, "DELETE": Scope.WEBHOOKS_WRITE}

    @extend_schema(responses=WebhookEndpointReader, operation_id="webhook_endpoints_retrieve")
    def get(self, request: Request, endpoint_id: UUID) -> Response:
        """One endpoint, without its secrets."""
        return Response(WebhookEndpointReader(self.get_object(endpoint_id)).data)

    @extend_schema(
        request=NewWebhookEndpoint(partial=True),
        responses=WebhookEndpointReader,
        operation_id="webhook_endpoints_update",
    )
    def patch(self, request: Request, endpoint_id: UUID) -> Response:
        """Change an endpoint. What is left out stays; what waits for it goes to the new URL."""
        endpoint = self.get_object(endpoint_id)
        changes = wanted(NewWebhookEndpoint(data=request.data, partial=True))
        return Response(WebhookEndpointReader(endpoints.change(self.principal, endpoint, **changes)).data)

    @extend_schema(responses={204: None}, operation_id="webhook_endpoints_remove")
    def delete(self, request: Request, endpoint_id: UUID) -> Response:
        """Remove an endpoint, with all that waits for it."""
        endpoints.remove(self.principal, self.get_object(endpoint_id))
        return Response(status=204)


class RotateSecretView(EndpointView):
    scopes = {"POST": Scope.WEBHOOKS_WRITE}

    @extend_schema(
        request=None, responses={201: WebhookEndpointSecretReader}, operation_id="webhook_endpoints_rotate_secret"
    )
    @idempotent
    def post(self, request: Request, endpoint_id: UUID) -> Response:
        """Give it a new secret, shown this once. For 24 hours calls are signed with both."""
        return _shown_once(*endpoints.rotate_secret(self.principal, self.get_object(endpoint_id)))


class EnableEndpointView(EndpointView):
    scopes = {"POST": Scope.WEBHOOKS_WRITE}

    @extend_schema(request=None, responses=WebhookEndpointReader, operation_id="webhook_endpoints_enable")
    def post(self, request: Request, endpoint_id: UUID) -> Response:
        """Call it again. What waited leaves at once; of what happened while it was disabled it is not told."""
        endpoint = endpoints.enable(self.principal, self.get_object(endpoint_id))
        return Response(WebhookEndpointReader(endpoint).data)


class DisableEndpointView(EndpointView):
    scopes = {"POST": Scope.WEBHOOKS_WRITE}

    @extend_schema(request=None, responses=WebhookEndpointReader, operation_id="webhook_endpoints_disable")
    def post(self, request: Request, endpoint_id: UUID) -> Response:
        """Stop calling it. What waits for it goes on waiting."""
        endpoint = endpoints.disable(self.principal, self.get_object(endpoint_id))
        return Response(WebhookEndpointReader(endpoint).data)


class TestEndpointView(EndpointView):
    scopes = {"POST": Scope.WEBHOOKS_WRITE}

    @extend_schema(
        request=None, responses={202: WholeWebhookDeliveryReader}, operation_id="webhook_endpoints_test"
    )
    @idempotent
    def post(self, request: Request, endpoint_id: UUID) -> Response:
        """Send it a `test.ping` now; the delivery tells what came of it. 409 `endpoint_disabled` if it is."""
        delivery = deliveries.ping(self.principal, self.get_object(endpoint_id))
        return Response(WholeWebhookDeliveryReader(delivery).data, status=202)


def _shown_once(endpoint: WebhookEndpoint, secret: str) -> Response:
    data = WebhookEndpointSecretReader(endpoint, context={"secret": secret}).data
    return Response(data, status=201, headers={"Cache-Control": "no-store"})
