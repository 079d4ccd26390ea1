from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action

from apps.accounts.acting import organizations_of, principal_for
from apps.accounts.admin.long_tables.filters import SelectFilter
from apps.accounts.admin.long_tables.newest import newest
from apps.accounts.admin.long_tables.table import LongTableAdmin
from apps.accounts.roles import Scope
from apps.callbacks import deliveries
from apps.callbacks.models import DeliveryState, WebhookDelivery, WebhookEndpoint
from apps.messaging.search import as_id


class EndpointFilter(SelectFilter):
    title = gettext_lazy("webhook endpoint")
    parameter_name = "endpoint"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        endpoints = WebhookEndpoint.across_organizations.filter(organization__in=organizations_of(request))
        return [(str(pk), url) for pk, url in endpoints.order_by("url").values_list("pk", "url")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset if self.value() is None else queryset.filter(endpoint=self.value())


class StateFilter(SelectFilter):
    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(DeliveryState.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset if self.value() is None else newest(request, queryset).filter(state=self.value())


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(LongTableAdmin[WebhookDelivery]):
    """What endpoints were called with, what they answered, and sending it again."""

    read_scope = Scope.WEBHOOKS_READ
    write_scope = Scope.WEBHOOKS_WRITE
    empty_hint = gettext_lazy(
        "Nothing was told to an endpoint. Add an endpoint, and what happens is delivered to it."
    )
    list_display = ["created_at", "type", "endpoint", "state", "attempts", "last_status", "last_error"]
    list_filter = [EndpointFilter, StateFilter]
    search_help_text = gettext_lazy("An id or a webhook-id, whole.")
    actions = ["replay_selected"]
    actions_detail = ["replay_delivery"]
    fields = [
        "id", "event_id", "type", "endpoint", "state", "attempts", "due_at", "last_status", "last_error",
        "last_response", "milliseconds", "payload", "created_at", "finished_at",
    ]  # fmt: skip
    readonly_fields = ["id"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[WebhookDelivery]:
        """Those of an endpoint that is gone are shown to nobody."""
        found = super().get_queryset(request).filter(endpoint__created_at__isnull=False)
        return found.select_related("endpoint").defer("endpoint__secret", "endpoint__previous_secret")

    def find(self, organizations: Sequence[UUID], text: str) -> Sequence[UUID]:
        if (delivery_id := as_id(text)) is not None:
            return [delivery_id]
        endpoints = WebhookEndpoint.across_organizations.filter(organization__in=organizations)
        found = WebhookDelivery.across_organizations.filter(endpoint__in=endpoints, event_id=text)
        return list(found.values_list("pk", flat=True))

    @action(description=gettext_lazy("Send again"), permissions=["write"], url_path="replay")
    def replay_delivery(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        delivery = self.get_one(request, object_id)
        if request.method == "POST":
            return self._guarded(self._replay, request, delivery)
        explanation = _("The endpoint is called with it once more, under the same id.")
        return self.confirm(request, delivery, _("Send again"), explanation, variant="primary")

    def _replay(self, request: HttpRequest, delivery: WebhookDelivery) -> HttpResponseBase:
        deliveries.replay(principal_for(request, delivery.organization), delivery)
        messages.success(request, _("It is sent again."))
        return redirect(self.address_of(delivery))

    @action(description=gettext_lazy("Send again"), permissions=["write"])
    def replay_selected(self, request: HttpRequest, queryset: QuerySet[WebhookDelivery]) -> None:
        for delivery in queryset.select_related("organization")[: self.list_per_page]:
            deliveries.replay(principal_for(request, delivery.organization), delivery)
        messages.success(request, _("They are sent again."))
