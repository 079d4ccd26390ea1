"""Forget deliveries that are old, whatever became of them: those still waiting belong to disabled endpoints."""

from datetime import timedelta

from apps.callbacks.models import WebhookDelivery
from apps.core import clock
from apps.core.ids import first_id_of

KEPT_FOR = timedelta(days=30)
BATCH = 1000


def remove_old() -> int:
    """In small transactions: a long one would hold back vacuum from the tables that the dispatcher lives on."""
    oldest = first_id_of(clock.now() - KEPT_FOR)
    deliveries = WebhookDelivery.across_organizations
    total = 0
    while batch := list(deliveries.filter(pk__lt=oldest).order_by("pk").values_list("pk", flat=True)[:BATCH]):
        total += deliveries.filter(pk__in=batch).delete()[0]
    return total
