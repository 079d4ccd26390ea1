"""Committed events go to the stream that clients follow, in the order of commits, and none is left out.

A cursor in the database says up to where. An event carries the id of the transaction that wrote it, and only
those are published that are older than every transaction still at work: so none can appear behind the cursor. A
publisher that dies between the stream and the cursor publishes some twice, which clients know by the event's id.
"""

import time
from collections import defaultdict
from typing import Any
from uuid import UUID

from django.db import transaction

from apps.core.prepared import prepared_cursor
from apps.core.redis import redis_client
from apps.messaging.engine import bells
from apps.messaging.statuses import EventKind, Status
from apps.realtime import stream

AT_ONCE = 1000
SLICE_SECONDS = 5.0
# Under load the next event is milliseconds away: waiting for it costs less than another task.
LINGER_SECONDS = 0.1
POLL_SECONDS = 0.01

STATUS_AFTER = {
    **{EventKind(status.value): status for status in Status},
    EventKind.RETRYING: Status.SENDING,
    EventKind.HELD: Status.SENDING,
    EventKind.UNKNOWN: Status.SENDING,
    EventKind.REPLAYED: Status.QUEUED,
}


def publish() -> int:
    """Until nothing is left to publish, or the slice is over."""
    published = 0
    doorbells = bells.doorbells()
    ends = time.monotonic() + SLICE_SECONDS
    doorbells.answer(bells.PUBLISH)
    quiet_since = time.monotonic()
    while time.monotonic() < ends:
        count = publish_batch()
        if count:
            published += count
            quiet_since = time.monotonic()
        elif time.monotonic() - quiet_since < LINGER_SECONDS:
            time.sleep(POLL_SECONDS)
        elif doorbells.may_rest(bells.PUBLISH):
            return published
    doorbells.forget([bells.PUBLISH])
    bells.ring([bells.PUBLISH])
    return published


@transaction.atomic
def publish_batch() -> int:
    """One publisher at a time; another finds the cursor's row taken, and nothing to do."""
    with prepared_cursor() as cursor:
        cursor.execute("SELECT transaction::text, event_id FROM event_cursor WHERE id = 1 FOR UPDATE SKIP LOCKED")
        position = cursor.fetchone()
        if position is None:
            return 0
        cursor.execute(_NEXT, [*position, AT_ONCE])
        rows = cursor.fetchall()
        if not rows:
            return 0
        stream.append(redis_client(), _by_organization(rows))
        cursor.execute("UPDATE event_cursor SET transaction = %s::xid8, event_id = %s WHERE id = 1", rows[-1][:2])
    return len(rows)


_NEXT = """
SELECT transaction::text, id, organization_id, message_id, conversation_id, kind, at, attempt
  FROM message_event
 WHERE (transaction, id) > (%s::xid8, %s) AND transaction < pg_snapshot_xmin(pg_current_snapshot())
 ORDER BY transaction, id
 LIMIT %s
"""


def _by_organization(rows: list[tuple[Any, ...]]) -> dict[UUID, list[dict[str, Any]]]:
    events: dict[UUID, list[dict[str, Any]]] = defaultdict(list)
    for _transaction, event_id, organization_id, message_id, conversation_id, kind, at, attempt in rows:
        events[organization_id].append(
            {
                "type": "status",
                "event_id": event_id,
                "message_id": message_id,
                "conversation_id": conversation_id,
                "organization_id": organization_id,
                "kind": kind,
                "status": STATUS_AFTER[EventKind(kind)],
                "attempt": attempt,
                "at": at,
            }
        )
    return events
