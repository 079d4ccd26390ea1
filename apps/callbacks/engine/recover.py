"""Whatever no bell rang for: every few seconds, asked for by beat."""

import structlog
from django.db import connection

from apps.callbacks.engine.bell import BELL
from apps.callbacks.engine.fan_out import fan_out

logger = structlog.get_logger(__name__)

AT_ONCE = 500
MOST_ROUNDS = 20


def recover() -> None:
    """Leases that ended with their workers, events that nobody rang for, and second attempts that are due."""
    taken_back = sum(_take_back() for _ in range(MOST_ROUNDS))
    if taken_back:
        # These may reach their endpoints twice, under the same id.
        logger.warning("webhooks_taken_back", count=taken_back)
    is_more = fan_out()
    if is_more or _is_anything_due():
        BELL.ring_forgotten()


def _take_back() -> int:
    with connection.cursor() as cursor:
        cursor.execute(_TAKE_BACK, [AT_ONCE])
        return int(cursor.rowcount)


_TAKE_BACK = """
UPDATE webhook_delivery AS delivery
   SET state = 'waiting', lease = NULL, due_at = now()
  FROM (SELECT id
          FROM webhook_delivery
         WHERE state = 'sending' AND due_at <= now()
         LIMIT %s
           FOR UPDATE SKIP LOCKED) AS overdue
 WHERE delivery.id = overdue.id
"""


def _is_anything_due() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_IS_ANYTHING_DUE)
        return bool(cursor.fetchone()[0])


_IS_ANYTHING_DUE = """
SELECT EXISTS (SELECT 1
                 FROM webhook_endpoint AS endpoint,
                      LATERAL (SELECT due_at
                                 FROM webhook_delivery
                                WHERE endpoint_id = endpoint.id AND state = 'waiting'
                                ORDER BY due_at
                                LIMIT 1) AS first
                WHERE endpoint.is_enabled AND first.due_at <= now())
"""
