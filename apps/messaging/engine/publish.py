"""Committed events go to the stream that clients follow, in the order of commits, and none is left out.

A cursor in the database says up to where. An event carries the id of the transaction that wrote it, and only those
are published that are older than every transaction still at work: so none can appear behind the cursor. Whoever
wrote events publishes them, many at once without waiting for each other: the stream takes each event once, in its
place. The sweep does it for those who died before they could.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from apps.core import tracing
from apps.core.prepared import Call, Rows, Statement, prepared_cursor, run_together
from apps.core.redis import redis_client
from apps.messaging.engine import counted
from apps.messaging.signals import events_published
from apps.messaging.statuses import EventKind, Status
from apps.realtime import stream

AT_ONCE = 1000
# In one sweep; the next one goes on.
MOST_BATCHES = 50

STATUS_AFTER = {
    **{EventKind(status.value): status for status in Status},
    EventKind.RETRYING: Status.SENDING,
    EventKind.HELD: Status.SENDING,
    EventKind.UNKNOWN: Status.SENDING,
    EventKind.REPLAYED: Status.QUEUED,
    # These say in their details how the message stands.
    EventKind.FORWARDED: Status.RECEIVED,
    EventKind.FELL_BACK: Status.FAILED,
    EventKind.MEDIA: Status.RECEIVED,
}


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at what is yet to be published came to."""

    published: int
    # Whether more is to be published: behind these, held back by a transaction that is still at work, or nobody
    # can say because others were faster.
    is_more: bool


def publish_forgotten() -> int:
    """By the sweep, which also makes sure that Redis and the database know the same."""
    compare()
    published = 0
    for _ in range(MOST_BATCHES):
        look = publish_batch()
        published += look.published
        if not look.published:
            break
    return published


def publish_batch() -> Look:
    found, _ = run_together(UNPUBLISHED)
    return publish_found(found)


def publish_found(found: Rows) -> Look:
    """May be left at any line: what is already on the stream is known there. Raises RedisError."""
    # Those that are held back come last, for they are ordered by their transactions.
    rows = [row[2:-1] for row in found if row[-1]]
    if not rows:
        return Look(0, is_more=any(row[2] for row in found))
    began = tracing.now()
    if not stream.append(redis_client(), _position(found[0]), [_entry(row) for row in rows]):
        return Look(0, is_more=True)
    with prepared_cursor() as cursor:
        cursor.execute(_MOVE_CURSOR, rows[-1][:2])
    tracing.past("publish", began, {"recado.events": len(rows)}, of=[row[-1] for row in rows if row[-1]])
    counted.published((row[5], row[6]) for row in rows)
    events_published.send_robust(sender=None, organization_ids={row[2] for row in rows})
    return Look(len(rows), is_more=len(rows) < len(found) or len(found) == AT_ONCE)


def compare() -> None:
    """The cursor follows the streams. Where they are not ahead of it, Redis has lost something; where they are and
    no such event exists, the database has: then clients have to be told."""
    with prepared_cursor() as cursor:
        cursor.execute("SELECT transaction::text, event_id FROM event_cursor WHERE id = 1")
        row = cursor.fetchone()
        theirs = stream.position(redis_client())
        if row is None or theirs is None or theirs == (ours := _position(row)):
            return
        cursor.execute(_FOLLOW, theirs.split("/"))
        if cursor.fetchone() is None:
            stream.begin_again(redis_client(), theirs, ours)


# One row without an event when there is none. As text, for it only passes through here on its way into JSON, and
# making dates and ids of it in Python takes longer than all the rest.
_UNPUBLISHED = """
SELECT cursor.transaction::text, cursor.event_id, next.transaction::text, next.id, next.organization_id::text,
       next.message_id::text, next.conversation_id::text, next.kind,
       to_char(next.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'), next.attempt,
       next.detail ->> 'status', next.trace,
       next.transaction < pg_snapshot_xmin(pg_current_snapshot())
  FROM event_cursor AS cursor LEFT JOIN LATERAL (
       SELECT *
         FROM message_event AS event
        WHERE (event.transaction, event.id) > (cursor.transaction, cursor.event_id)
        ORDER BY event.transaction, event.id
        LIMIT %s) AS next ON true
 WHERE cursor.id = 1
"""
UNPUBLISHED = Call(Statement("unpublished_events", ["int"], _UNPUBLISHED), [AT_ONCE])

# Others may be further. Nobody waits for the disk: should this be forgotten, the same events come once more, and
# the stream knows them.
_MOVE_CURSOR = """
WITH hurry AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))
UPDATE event_cursor SET transaction = next.transaction, event_id = next.event_id
  FROM hurry, (SELECT %s::text::xid8 AS transaction, %s::bigint AS event_id) AS next
 WHERE id = 1 AND (event_cursor.transaction, event_cursor.event_id) < (next.transaction, next.event_id)
"""

# To an event that exists, and only forward.
_FOLLOW = """
UPDATE event_cursor SET transaction = event.transaction, event_id = event.id
  FROM message_event AS event
 WHERE event_cursor.id = 1 AND event.transaction = %s::text::xid8 AND event.id = %s::bigint
   AND (event_cursor.transaction, event_cursor.event_id) <= (event.transaction, event.id)
RETURNING 1
"""


def _position(row: Sequence[Any]) -> str:
    return f"{row[0]}/{row[1]}"


def _entry(row: tuple[Any, ...]) -> stream.Entry:
    _transaction, event_id, organization_id, message_id, conversation_id, kind, at, attempt, status, trace = row
    return stream.Entry(
        organization_id,
        _position(row),
        {
            "type": "message" if kind == EventKind.RECEIVED else "status",
            "event_id": event_id,
            "message_id": message_id,
            "conversation_id": conversation_id,
            "organization_id": organization_id,
            "kind": kind,
            "status": status or STATUS_AFTER[EventKind(kind)],
            "attempt": attempt,
            "at": at,
            # For those who hand it on (apps/realtime/source.py takes it off): clients do not see it.
            **({"traceparent": trace} if trace else {}),
        },
    )
