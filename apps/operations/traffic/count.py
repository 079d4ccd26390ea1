"""What happened to messages is added up, each event once.

A cursor says up to where. It moves in the transaction that counts, and only whoever holds its row reads behind it.
As in messaging's publish.py, only events older than every transaction still at work are read, so that none can
appear behind the cursor.
"""

from django.db import connection, transaction

from apps.core import clock
from apps.messaging.statuses import EventKind
from apps.operations.models import TrafficCursor
from apps.operations.traffic.latency import BUCKETS

AT_ONCE = 5_000
# In one task; the next goes on.
MOST_BATCHES = 100

COUNTED: dict[str, tuple[EventKind, ...]] = {
    "accepted": (EventKind.QUEUED,),
    "received": (EventKind.RECEIVED,),
    "sent": (EventKind.SENT,),
    "delivered": (EventKind.DELIVERED,),
    "read": (EventKind.READ,),
    "failed": (EventKind.FAILED,),
    "dropped": (EventKind.CANCELLED, EventKind.EXPIRED),
    "retried": (EventKind.RETRYING,),
}


def count_new() -> int:
    counted = 0
    TrafficCursor.objects.update(counted_at=clock.now())
    for _ in range(MOST_BATCHES):
        batch = count_batch()
        counted += batch
        if batch < AT_ONCE:
            break
    return counted


@transaction.atomic
def count_batch() -> int:
    """How many events were read. None where somebody else counts at this moment."""
    with connection.cursor() as cursor:
        cursor.execute(_BEGIN)
        cursor.execute(_COUNT, {"at_once": AT_ONCE, "buckets": list(BUCKETS)})
        (counted,) = cursor.fetchone()
        return int(counted)


def _sum(condition: str) -> str:
    return f"coalesce(sum(count) FILTER (WHERE {condition}), 0)"


def _names(kinds: tuple[EventKind, ...]) -> str:
    return ", ".join(f"'{kind}'" for kind in kinds)


_SUMS = ", ".join(f"{_sum(f'kind IN ({_names(kinds)})')} AS {name}" for name, kinds in COUNTED.items())
_LATENCY = ", ".join(_sum(f"kind = 'sent' AND bucket = {n}") for n in range(len(BUCKETS) + 1))
_MORE = ", ".join(f"{name} = traffic.{name} + EXCLUDED.{name}" for name in COUNTED)

# From the very first event on.
_BEGIN = "INSERT INTO traffic_cursor (id, transaction, event_id) VALUES (1, '0', 0) ON CONFLICT DO NOTHING"

# A message is late from when it was to leave.
_COUNT = f"""
WITH cursor AS MATERIALIZED (
    SELECT transaction, event_id FROM traffic_cursor WHERE id = 1 FOR UPDATE SKIP LOCKED
), happened AS MATERIALIZED (
    SELECT event.*
      FROM cursor,
           LATERAL (SELECT id, transaction, message_id, kind, at
                      FROM message_event
                     WHERE (message_event.transaction, message_event.id) > (cursor.transaction, cursor.event_id)
                       AND message_event.transaction < pg_snapshot_xmin(pg_current_snapshot())
                     ORDER BY message_event.transaction, message_event.id
                     LIMIT %(at_once)s) AS event
), moved AS (
    UPDATE traffic_cursor SET transaction = last.transaction, event_id = last.id
      FROM (SELECT transaction, id FROM happened ORDER BY transaction DESC, id DESC LIMIT 1) AS last
     WHERE traffic_cursor.id = 1
), told AS MATERIALIZED (
    SELECT message.organization_id, message.account_id, happened.kind,
           date_trunc('minute', happened.at, 'UTC') AS minute,
           width_bucket(extract(epoch FROM happened.at - coalesce(message.scheduled_at, message.created_at)),
                        %(buckets)s::numeric[]) AS bucket,
           count(*) AS count
      FROM happened JOIN message ON message.id = happened.message_id
     GROUP BY 1, 2, 3, 4, 5
), added AS (
    INSERT INTO traffic (id, organization_id, account_id, span, starts_at, {", ".join(COUNTED)}, latency)
    SELECT uuidv7(), organization_id, account_id, span, date_trunc(span, minute, 'UTC'), {_SUMS}, ARRAY[{_LATENCY}]
      FROM told CROSS JOIN (VALUES ('minute'), ('hour'), ('day')) AS spans (span)
     GROUP BY organization_id, account_id, span, date_trunc(span, minute, 'UTC')
    ON CONFLICT (account_id, span, starts_at) DO UPDATE
       SET {_MORE},
           latency = ARRAY(SELECT was + more
                             FROM unnest(traffic.latency, EXCLUDED.latency) AS bucket (was, more))
)
SELECT count(*) FROM happened
"""  # noqa: S608 - of constants
