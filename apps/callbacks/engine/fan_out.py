"""What happened becomes one delivery for each endpoint that wants to know of it, exactly once.

A cursor says up to where. It moves in the transaction that writes the deliveries, and only whoever holds its row
reads behind it. As in messaging's publish.py, only events older than every transaction still at work are read, so
that none can appear behind the cursor.
"""

from django.db import connection, transaction

from apps.callbacks.engine.payload import Happened
from apps.callbacks.event_types import EventType
from apps.callbacks.models import WebhookDelivery
from apps.core import clock

AT_ONCE = 1000
_KINDS = [str(event_type).removeprefix("message.") for event_type in EventType]


def fan_out() -> bool:
    """Whether there may be more."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_NOBODY_LISTENS)
        cursor.execute(_HAPPENED, {"kinds": _KINDS, "at_once": AT_ONCE})
        # One row without an endpoint when nobody wants to know of any.
        rows = cursor.fetchall()
        now = clock.now()
        wanted = [Happened(*row[1:]) for row in rows if row[1] is not None]
        WebhookDelivery.across_organizations.bulk_create(
            [
                WebhookDelivery(
                    organization_id=each.organization_id,
                    endpoint_id=each.endpoint_id,
                    event_id=each.webhook_id,
                    type=each.type,
                    payload=each.payload,
                    created_at=now,
                )
                for each in wanted
            ],
            ignore_conflicts=True,
        )
    return bool(rows[0][0] == AT_ONCE)


# Where nobody listens at all, nothing is read: whoever comes hears of what happens from then on.
_NOBODY_LISTENS = """
UPDATE webhook_cursor SET transaction = pg_snapshot_xmin(pg_current_snapshot()), event_id = 0
 WHERE id = 1 AND NOT EXISTS (SELECT 1 FROM webhook_endpoint WHERE is_enabled)
"""

_HAPPENED = """
WITH cursor AS MATERIALIZED (
    SELECT transaction, event_id FROM webhook_cursor WHERE id = 1 FOR UPDATE SKIP LOCKED
), happened AS MATERIALIZED (
    SELECT event.*
      FROM cursor,
           LATERAL (SELECT *
                      FROM message_event
                     WHERE (message_event.transaction, message_event.id) > (cursor.transaction, cursor.event_id)
                       AND message_event.transaction < pg_snapshot_xmin(pg_current_snapshot())
                     ORDER BY message_event.transaction, message_event.id
                     LIMIT %(at_once)s) AS event
), moved AS (
    UPDATE webhook_cursor SET transaction = last.transaction, event_id = last.id
      FROM (SELECT transaction, id FROM happened ORDER BY transaction DESC, id DESC LIMIT 1) AS last
     WHERE webhook_cursor.id = 1
)
SELECT total.count, wanted.*
  FROM (SELECT count(*) FROM happened) AS total
  LEFT JOIN (SELECT happened.organization_id, endpoint.id AS endpoint_id, happened.id, happened.kind, happened.at,
                    happened.detail, message.id AS message_id, message.conversation_id, message.account_id,
                    account.connector, message.reference, conversation.address, message.text
               FROM happened
               JOIN webhook_endpoint AS endpoint
                    ON endpoint.organization_id = happened.organization_id AND endpoint.is_enabled
                   AND (endpoint.event_types = '{}'
                        OR 'message.' || happened.kind = ANY(endpoint.event_types))
               JOIN message ON message.id = happened.message_id
               JOIN conversation ON conversation.id = message.conversation_id
               JOIN channel_account AS account ON account.id = message.account_id
              WHERE happened.kind = ANY(%(kinds)s)
              ORDER BY happened.transaction, happened.id) AS wanted ON true
"""
