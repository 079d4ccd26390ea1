"""Take due deliveries, under a lease: for as long as it lasts, nobody else sends them."""

from dataclasses import dataclass, field
from uuid import UUID

from django.conf import settings
from django.db import connection

from apps.core.ids import new_id

# Longer than a call may take, with time to write down what came of it.
LEASE_SECONDS = 4.0 * settings.OUTBOUND_SECONDS
# Calls that one endpoint has at once, over all workers. One that fails has a single one, so that hundreds that do
# not answer leave room for those that do.
CALLS_AT_ONCE = 10


@dataclass(frozen=True, slots=True)
class Claimed:
    id: UUID
    endpoint_id: UUID
    event_id: str
    payload: str = field(repr=False)
    attempts: int
    lease: UUID
    url: str = field(repr=False)
    # As they are stored: encrypted.
    secret: str = field(repr=False)
    previous_secret: str | None = field(repr=False)


def claim(most: int) -> list[Claimed]:
    """The longest due of each endpoint. Which endpoints come first is left to chance."""
    with connection.cursor() as cursor:
        cursor.execute(
            _CLAIM,
            {"most": most, "calls": CALLS_AT_ONCE, "lease": new_id(), "lease_seconds": LEASE_SECONDS},
        )
        return [Claimed(*row) for row in cursor.fetchall()]


# `waiting` jumps from one endpoint to the next in the index, however much waits for each. Two that claim at the
# same moment may together take a few calls more than an endpoint's share.
_CLAIM = """
WITH RECURSIVE waiting AS (
    (SELECT endpoint_id FROM webhook_delivery WHERE state = 'waiting' ORDER BY endpoint_id LIMIT 1)
    UNION ALL
    SELECT (SELECT endpoint_id
              FROM webhook_delivery
             WHERE state = 'waiting' AND endpoint_id > waiting.endpoint_id
             ORDER BY endpoint_id
             LIMIT 1)
      FROM waiting
     WHERE waiting.endpoint_id IS NOT NULL
), chosen AS MATERIALIZED (
    SELECT due.id
      FROM (SELECT endpoint.id, CASE WHEN endpoint.first_failed_at IS NULL THEN %(calls)s ELSE 1 END AS calls
              FROM waiting JOIN webhook_endpoint AS endpoint ON endpoint.id = waiting.endpoint_id
             WHERE endpoint.is_enabled
             ORDER BY random()) AS endpoint,
           LATERAL (SELECT count(*) AS calls
                      FROM webhook_delivery
                     WHERE endpoint_id = endpoint.id AND state = 'sending') AS under_way,
           LATERAL (SELECT id
                      FROM webhook_delivery
                     WHERE endpoint_id = endpoint.id AND state = 'waiting' AND due_at <= now()
                     ORDER BY due_at
                     LIMIT greatest(0, endpoint.calls - under_way.calls)
                       FOR UPDATE SKIP LOCKED) AS due
     LIMIT %(most)s
), claimed AS (
    UPDATE webhook_delivery AS delivery
       SET state = 'sending', lease = %(lease)s, attempts = attempts + 1,
           due_at = now() + make_interval(secs => %(lease_seconds)s)
      FROM chosen
     WHERE delivery.id = chosen.id
    RETURNING delivery.*
)
SELECT claimed.id, claimed.endpoint_id, claimed.event_id, claimed.payload, claimed.attempts, claimed.lease,
       endpoint.url, endpoint.secret,
       CASE WHEN endpoint.previous_secret_until > now() THEN endpoint.previous_secret END
  FROM claimed JOIN webhook_endpoint AS endpoint ON endpoint.id = claimed.endpoint_id
"""
