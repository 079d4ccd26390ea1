"""What people do with deliveries: try an endpoint out, and send again what was sent before."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from apps.accounts import audit
from apps.accounts.principal import Principal
from apps.callbacks.endpoints import EndpointDisabled
from apps.callbacks.engine.bell import BELL
from apps.callbacks.engine.payload import test_payload
from apps.callbacks.erasure import NOTHING
from apps.callbacks.event_types import TEST_PING
from apps.callbacks.models import DeliveryState, WebhookDelivery, WebhookEndpoint
from apps.core import clock
from apps.core.api.problems import Conflict
from apps.core.ids import new_id
from apps.messaging.search import created_between

MOST_AT_ONCE = 10_000
MOST_COUNTED = 100_000
# Sent again so many a second, so that what happens now does not wait behind all of it.
REPLAYED_PER_SECOND = 50


class BeingSent(Conflict):
    default_code = "being_sent"
    default_detail = _("This delivery is being sent at this moment.")


class PayloadErased(Conflict):
    default_code = "payload_erased"
    default_detail = _("What this delivery said was erased, with the person whom it was about.")


def created_within(since: datetime | None, until: datetime | None) -> Q:
    """By a range of ids, which the indexes know, and then to the moment."""
    within = created_between(since, until)
    if since is not None:
        within &= Q(created_at__gte=since)
    if until is not None:
        within &= Q(created_at__lt=until)
    return within


@transaction.atomic
def ping(principal: Principal, endpoint: WebhookEndpoint) -> WebhookDelivery:
    """An event that only says that it is one, sent like any other."""
    _check_enabled(endpoint)
    now, delivery_id = clock.now(), new_id()
    delivery = WebhookDelivery.across_organizations.create(
        id=delivery_id,
        organization=principal.organization,
        endpoint=endpoint,
        event_id=f"msg_test_{delivery_id.hex}",
        type=TEST_PING,
        payload=test_payload(endpoint.pk, now),
        created_at=now,
    )
    BELL.ring_on_commit()
    delivery.refresh_from_db()
    return delivery


@transaction.atomic
def replay(principal: Principal, delivery: WebhookDelivery) -> WebhookDelivery:
    """Now, under the same id, with all its attempts before it. What waits for its next attempt waits no longer."""
    _check_enabled(delivery.endpoint)
    if delivery.payload == NOTHING:
        raise PayloadErased
    deliveries = WebhookDelivery.objects.for_organization(principal.organization).filter(pk=delivery.pk)
    if not deliveries.exclude(state=DeliveryState.SENDING).update(
        state=DeliveryState.WAITING, attempts=0, due_at=Now(), finished_at=None
    ):
        raise BeingSent
    audit.record(
        principal.actor,
        "webhook_delivery.replayed",
        delivery,
        organization=principal.organization,
        changes={"state": (delivery.state, DeliveryState.WAITING)},
    )
    BELL.ring_on_commit()
    delivery.refresh_from_db()
    return delivery


@dataclass(frozen=True, slots=True)
class Selection:
    """Which of an endpoint's deliveries: those made in a time, that ended so."""

    since: datetime
    until: datetime | None = None
    state: str = DeliveryState.FAILED

    def of(self, endpoint: WebhookEndpoint) -> QuerySet[WebhookDelivery]:
        deliveries = WebhookDelivery.objects.for_organization(endpoint.organization)
        made = deliveries.filter(created_within(self.since, self.until), endpoint=endpoint, state=self.state)
        return made.exclude(payload=NOTHING)

    def in_words(self) -> dict[str, tuple[None, Any]]:
        """For the trail."""
        return {"since": (None, self.since), "until": (None, self.until), "state": (None, self.state)}


@dataclass(frozen=True, slots=True)
class Replayed:
    matched: int
    replayed: int

    @property
    def remaining(self) -> int:
        return self.matched - self.replayed


@transaction.atomic
def replay_many(
    principal: Principal, endpoint: WebhookEndpoint, selection: Selection, *, dry_run: bool = False
) -> Replayed:
    """The oldest first, at most so many at once. Asked again, it goes on with those that remain."""
    _check_enabled(endpoint)
    matching = selection.of(endpoint)
    matched = matching[:MOST_COUNTED].count()
    if dry_run or not matched:
        return Replayed(matched, 0)
    chosen = list(matching.order_by("pk").values_list("pk", flat=True)[:MOST_AT_ONCE])
    with connection.cursor() as cursor:
        cursor.execute(
            _REPLAY, {"chosen": chosen, "state": selection.state, "per_second": float(REPLAYED_PER_SECOND)}
        )
        replayed = cursor.rowcount
    audit.record(
        principal.actor,
        "webhook_deliveries.replayed",
        endpoint,
        organization=principal.organization,
        changes={**selection.in_words(), "matched": (None, matched), "replayed": (None, replayed)},
    )
    BELL.ring_on_commit()
    return Replayed(matched, replayed)


_REPLAY = """
UPDATE webhook_delivery AS delivery
   SET state = 'waiting', attempts = 0, finished_at = NULL,
       due_at = now() + make_interval(secs => (chosen.position - 1) / %(per_second)s)
  FROM unnest(%(chosen)s::uuid[]) WITH ORDINALITY AS chosen (id, position)
 WHERE delivery.id = chosen.id AND delivery.state = %(state)s
"""


def _check_enabled(endpoint: WebhookEndpoint) -> None:
    if not endpoint.is_enabled:
        raise EndpointDisabled
