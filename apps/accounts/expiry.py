"""Remove what is over: old answers kept for repetition, dead API sessions, log-in sessions of the admin."""

from datetime import timedelta

import structlog
from django.contrib.sessions.models import Session as BrowserSession
from django.db.models import Model, Q, QuerySet

from apps.accounts.idempotency import expired_records
from apps.accounts.models import Session
from apps.core import clock

BATCH = 1_000
# A revoked session says for a while longer that it was revoked, should anybody ask why.
REVOKED_KEPT = timedelta(days=30)

logger = structlog.get_logger(__name__)


def remove_expired() -> dict[str, int]:
    """In small transactions: a long one would hold back vacuum from the tables that the dispatcher lives on."""
    now = clock.now()
    over = Q(expires_at__lte=now) | Q(revoked_at__lte=now - REVOKED_KEPT)
    removed = {
        "idempotency_records": _remove(expired_records()),
        "api_sessions": _remove(Session.across_organizations.filter(over)),
        "browser_sessions": _remove(BrowserSession.objects.filter(expire_date__lte=now)),
    }
    logger.info("expired_removed", **removed)
    return removed


def _remove[T: Model](expired: QuerySet[T]) -> int:
    total = 0
    while True:
        batch = list(expired.values_list("pk", flat=True)[:BATCH])
        if not batch:
            return total
        total += expired.model._default_manager.filter(pk__in=batch).delete()[0]
