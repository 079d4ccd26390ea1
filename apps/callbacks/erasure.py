"""What applications were told, or were to be told, of messages of a person who is erased."""

from collections import Counter
from collections.abc import Mapping, Sequence
from uuid import UUID

from django.db import connection, transaction

from apps.accounts.models import Organization
from apps.messaging.erasure import messages_of

# The payload of a delivery that says no more. It is not sent again.
NOTHING = "{}"


def erase(organization: Organization, contact_id: UUID) -> Mapping[str, int]:
    """Deliveries that have not arrived are dropped. Of the others only that they did is kept."""
    wait_for_fan_out()
    endpoints = endpoints_of(organization)
    done = Counter(payloads=0, dropped=0)
    for message_ids in messages_of(organization, contact_id):
        done.update(_erase(organization, endpoints, message_ids))
    return done


@transaction.atomic
def wait_for_fan_out() -> None:
    """Whoever is just writing down deliveries may have read words that are gone by now."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM webhook_cursor FOR UPDATE")


def endpoints_of(organization: Organization) -> list[UUID]:
    """Those that have deliveries; some of them may be gone themselves. From one to the next in the index."""
    with connection.cursor() as cursor:
        cursor.execute(_ENDPOINTS, [organization.id])
        return [endpoint_id for (endpoint_id,) in cursor.fetchall()]


_ENDPOINTS = """
WITH RECURSIVE had AS (
    (SELECT endpoint_id FROM webhook_delivery ORDER BY endpoint_id LIMIT 1)
    UNION ALL
    SELECT (SELECT endpoint_id
              FROM webhook_delivery
             WHERE endpoint_id > had.endpoint_id
             ORDER BY endpoint_id
             LIMIT 1)
      FROM had
     WHERE had.endpoint_id IS NOT NULL
)
SELECT had.endpoint_id
  FROM had,
       LATERAL (SELECT organization_id FROM webhook_delivery WHERE endpoint_id = had.endpoint_id LIMIT 1) AS first
 WHERE first.organization_id = %s
"""


def _erase(organization: Organization, endpoints: Sequence[UUID], message_ids: Sequence[UUID]) -> Counter[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            _ERASE,
            {
                "organization": organization.id,
                "endpoints": list(endpoints),
                "messages": list(message_ids),
                "nothing": NOTHING,
            },
        )
        payloads, dropped = cursor.fetchone()
    return Counter(payloads=payloads, dropped=dropped)


# One that is being sent is dropped too: whoever records it finds that it is not theirs any more.
_ERASE = """
WITH told AS MATERIALIZED (
    SELECT delivery.id, delivery.state
      FROM (SELECT 'msg_evt_' || id AS event_id
              FROM message_event
             WHERE message_id = ANY(%(messages)s::uuid[])) AS event
     CROSS JOIN unnest(%(endpoints)s::uuid[]) AS endpoint (id)
      JOIN webhook_delivery AS delivery
        ON delivery.endpoint_id = endpoint.id AND delivery.event_id = event.event_id
     WHERE delivery.organization_id = %(organization)s
     ORDER BY delivery.id
       FOR UPDATE OF delivery
), dropped AS (
    DELETE FROM webhook_delivery AS delivery
     USING told
     WHERE delivery.id = told.id AND told.state IN ('waiting', 'sending')
    RETURNING 1
), emptied AS (
    UPDATE webhook_delivery AS delivery SET payload = %(nothing)s, last_response = ''
      FROM told
     WHERE delivery.id = told.id AND told.state NOT IN ('waiting', 'sending')
       AND (delivery.payload <> %(nothing)s OR delivery.last_response <> '')
    RETURNING 1
)
SELECT (SELECT count(*) FROM emptied), (SELECT count(*) FROM dropped)
"""
