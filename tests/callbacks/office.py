"""Where a test works: endpoints, events, deliveries, and time that passes."""

import time
from dataclasses import dataclass
from typing import Any

from django.db import connection

from apps.accounts.principal import Principal
from apps.callbacks import deliveries, endpoints
from apps.callbacks.engine.deliver import deliver
from apps.callbacks.engine.fan_out import fan_out
from apps.callbacks.models import WebhookDelivery, WebhookEndpoint
from apps.messaging.engine.loop import Loop
from tests.callbacks.receiver import Receiver
from tests.cast import House


def add_endpoint(house: House, url: str = "https://app.example.com/hooks", **values: Any) -> WebhookEndpoint:
    endpoint, _ = endpoints.add(Principal.of_system(house.organization), url=url, **values)
    return endpoint


def add_delivery(house: House, endpoint: WebhookEndpoint | None = None, **values: Any) -> WebhookDelivery:
    """Of a test event; `values` say what became of it."""
    delivery = deliveries.ping(Principal.of_system(house.organization), endpoint or add_endpoint(house))
    WebhookDelivery.across_organizations.filter(pk=delivery.pk).update(**values)
    return WebhookDelivery.across_organizations.get(pk=values.get("id", delivery.pk))


def fan_out_all() -> int:
    """How many deliveries there are then. Transactions of this server's other databases hold events back."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and (fan_out() or _has_more()):
        pass
    return WebhookDelivery.across_organizations.count()


def _has_more() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT 1 FROM message_event AS event, webhook_cursor AS cursor"
            " WHERE (event.transaction, event.id) > (cursor.transaction, cursor.event_id))"
        )
        return bool(cursor.fetchone()[0])


@dataclass
class Office:
    house: House
    loop: Loop
    receiver: Receiver

    def endpoint(self, path: str = "/hooks", **values: Any) -> WebhookEndpoint:
        return add_endpoint(self.house, self.receiver.url + path, **values)

    def ping(self, endpoint: WebhookEndpoint, count: int = 1) -> list[WebhookDelivery]:
        return [add_delivery(self.house, endpoint) for _ in range(count)]

    def deliver(self) -> dict[str, int]:
        return self.loop.run(deliver)

    def let_pass(self, seconds: float) -> None:
        """Everything that is due at some time is due so much sooner, and what failed has failed for longer."""
        with connection.cursor() as cursor:
            cursor.execute("UPDATE webhook_delivery SET due_at = due_at - make_interval(secs => %s)", [seconds])
            cursor.execute(
                "UPDATE webhook_endpoint SET first_failed_at = first_failed_at - make_interval(secs => %(s)s),"
                " previous_secret_until = previous_secret_until - make_interval(secs => %(s)s)",
                {"s": seconds},
            )

    def reread(self, delivery: WebhookDelivery) -> WebhookDelivery:
        return WebhookDelivery.across_organizations.get(pk=delivery.pk)
