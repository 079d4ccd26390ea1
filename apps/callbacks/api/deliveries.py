"""What an endpoint was called with, what it answered, and sending it again."""

from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.api.view import TenantView
from apps.accounts.roles import Scope
from apps.callbacks import deliveries
from apps.callbacks.api.bodies import WebhookDeliveryFilters, WebhookReplayQuery, wanted
from apps.callbacks.api.endpoints import EndpointView
from apps.callbacks.api.readers import WebhookDeliveryReader, WebhooksReplayedReader, WholeWebhookDeliveryReader
from apps.callbacks.deliveries import Selection, created_within
from apps.callbacks.models import WebhookDelivery
from apps.core.api.pagination import SiftedPages


class DeliveriesView(EndpointView):
    scopes = {"GET": Scope.WEBHOOKS_READ}
    pagination_class = SiftedPages
    paginator: SiftedPages

    @extend_schema(
        parameters=[WebhookDeliveryFilters],
        responses=WebhookDeliveryReader(many=True),
        operation_id="webhook_deliveries_list",
    )
    def get(self, request: Request, endpoint_id: UUID) -> Response:
        """Deliveries of the last 30 days, newest first.

        With a filter a page may hold fewer than `limit` while `next` leads on.
        """
        endpoint = self.get_object(endpoint_id)
        filters: dict[str, Any] = WebhookDeliveryFilters.read(request)
        within = created_within(filters.pop("created_after", None), filters.pop("created_before", None))
        candidates = WebhookDelivery.objects.for_organization(self.principal.organization)
        candidates = candidates.filter(within, endpoint=endpoint).defer("payload", "last_response")
        found = self.paginator.sift(candidates, Q(**filters), request)
        return self.paginator.get_paginated_response(WebhookDeliveryReader(found, many=True).data)


class DeliveryView(TenantView[WebhookDelivery]):
    model = WebhookDelivery
    reader = WholeWebhookDeliveryReader

    def get_queryset(self) -> QuerySet[WebhookDelivery]:
        whose = {"endpoint": self.kwargs["endpoint_id"], "endpoint__organization": self.principal.organization}
        found = super().get_queryset().filter(**whose).select_related("endpoint")
        return found.defer("endpoint__secret", "endpoint__previous_secret")


class OneDeliveryView(DeliveryView):
    scopes = {"GET": Scope.WEBHOOKS_READ}

    @extend_schema(responses=WholeWebhookDeliveryReader, operation_id="webhook_deliveries_retrieve")
    def get(self, request: Request, endpoint_id: UUID, delivery_id: UUID) -> Response:
        """One delivery, with its body and what the endpoint answered last."""
        return Response(WholeWebhookDeliveryReader(self.get_object(delivery_id)).data)


class ReplayDeliveryView(DeliveryView):
    scopes = {"POST": Scope.WEBHOOKS_WRITE}

    @extend_schema(
        request=None, responses={202: WholeWebhookDeliveryReader}, operation_id="webhook_deliveries_replay"
    )
    def post(self, request: Request, endpoint_id: UUID, delivery_id: UUID) -> Response:
        """Send it again now, under the same `webhook-id`, whatever became of it.

        409 `being_sent` at that very moment, 409 `endpoint_disabled` if it is, 409 `payload_erased` if that was
        erased with the person it was about.
        """
        delivery = deliveries.replay(self.principal, self.get_object(delivery_id))
        return Response(WholeWebhookDeliveryReader(delivery).data, status=202)


class ReplayDeliveriesView(EndpointView):
    scopes = {"POST": Scope.WEBHOOKS_WRITE}

    @extend_schema(
        request=WebhookReplayQuery,
        responses={202: WebhooksReplayedReader},
        operation_id="webhook_endpoints_replay",
    )
    def post(self, request: Request, endpoint_id: UUID) -> Response:
        """Send all again that were made in a time and failed, up to 10,000 at once, 50 a second.

        Counts only, unless `dry_run` is false. With `state` `delivered`, those that arrived.
        """
        endpoint = self.get_object(endpoint_id)
        query = wanted(WebhookReplayQuery(data=request.data))
        dry_run = query.pop("dry_run")
        done = deliveries.replay_many(self.principal, endpoint, Selection(**query), dry_run=dry_run)
        return Response(WebhooksReplayedReader(done).data, status=202)
