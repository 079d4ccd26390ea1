"""Messages that are older than their organization keeps them are deleted, with all that tells of them.

Some at a time, each time in one transaction that leaves no reference behind: whoever dies half-way has deleted
fewer, and the next run goes on. Organizations take turns, so that a large one keeps no other waiting. It rests
more than it works, for whoever sends messages meanwhile (docs/benchmarks.md says what it costs them).
Conversations and contacts stay, also without a message; so does the trail of who did what.
"""

import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from apps.accounts.models import Organization
from apps.core import clock
from apps.core.deadlocks import tried_again
from apps.core.ids import first_id_of
from apps.messaging.engine import order
from apps.messaging.redaction import erase_files

logger = structlog.get_logger(__name__)

AT_ONCE = 500
# Of one run, in seconds; the next goes on.
LONGEST_RUN = 20 * 60
# After each batch, so many times as long as it took: whoever sends messages meanwhile has the machine.
RESTS = 2
_FIRST = UUID(int=0)

# Of an organization and messages of it that go, within the transaction that deletes them.
type Forgetter = Callable[[Organization, Sequence[UUID]], object]
# Which of them are not over yet.
type Needing = Callable[[Sequence[UUID]], Collection[UUID]]

_forgetters: list[Forgetter] = []
_needing: list[Needing] = []


def register(forget: Forgetter, needs: Needing | None = None) -> None:
    """For apps that have rows of their own about messages."""
    _forgetters.append(forget)
    if needs is not None:
        _needing.append(needs)


@dataclass(slots=True)
class _Turn:
    organization_id: UUID
    # The last message that was looked at.
    after: UUID = _FIRST


def delete_old() -> int:
    """How many messages were deleted."""
    ends, deleted = time.monotonic() + LONGEST_RUN, 0
    keeping = Organization.objects.filter(message_retention_days__isnull=False, suspended_at=None)
    turns = deque(_Turn(pk) for pk in keeping.order_by("pk").values_list("pk", flat=True))
    while turns and time.monotonic() < ends:
        turn = turns.popleft()
        # Anew each time: somebody who has just chosen to keep them for longer is heeded.
        organization = keeping.filter(pk=turn.organization_id).first()
        if organization is None:
            continue
        started = time.monotonic()
        count, last = _delete_some(organization, turn.after)
        time.sleep(RESTS * (time.monotonic() - started))
        deleted += count
        if last is not None:
            turn.after = last
            turns.append(turn)
    logger.info("old_messages_deleted", messages=deleted, is_done=not turns)
    return deleted


@tried_again
@transaction.atomic
def _delete_some(organization: Organization, after: UUID) -> tuple[int, UUID | None]:
    """How many went, and the last that was looked at; None where no old one is left."""
    assert organization.message_retention_days is not None
    until = clock.now() - timedelta(days=organization.message_retention_days)
    given: dict[str, Any] = {
        "organization": organization.pk,
        "until": until,
        "first_kept": first_id_of(until),
        "after": after,
        "at_once": AT_ONCE,
    }
    with connection.cursor() as cursor:
        cursor.execute(_OLD, given)
        found = cursor.fetchall()
        if not found:
            return 0, None
        order.lock(cursor, (conversation_id for _, conversation_id in found))
        # Only now nobody tries one of them again, or answers it.
        cursor.execute(_OVER_AMONG, given | {"ids": [message_id for message_id, _ in found]})
        over = [message_id for (message_id,) in cursor.fetchall()]
        needed = {message_id for needs in _needing for message_id in needs(over)}
        going = [message_id for message_id in over if message_id not in needed]
        if going:
            _delete(cursor, organization, going, [conversation_id for _, conversation_id in found])
    return len(going), found[-1][0]


def _delete(
    cursor: CursorWrapper, organization: Organization, ids: list[UUID], conversations: Iterable[UUID]
) -> None:
    for forget in _forgetters:
        forget(organization, ids)
    erase_files(ids)
    for name in ("reply_to_id", "forwarded_from_id", "fallback_of_id"):
        cursor.execute(f"UPDATE message SET {name} = NULL WHERE {name} = ANY(%s)", [ids])  # noqa: S608 - of constants
    cursor.execute(_DELETE, {"ids": ids})
    cursor.execute(_NOTHING_UNREAD, [list(set(conversations))])


# What is to be sent, or tried another way, or fetched, is not over; nor is what waits as a forward, with its file.
# A message for later is as old as the day that it was for.
_OVER = """
(message.scheduled_at IS NULL OR message.scheduled_at < %(until)s)
AND NOT EXISTS (SELECT 1 FROM delivery WHERE delivery.message_id = message.id)
AND NOT EXISTS (SELECT 1 FROM message_fallback WHERE message_fallback.message_id = message.id)
AND NOT EXISTS (SELECT 1
                  FROM media_fetch
                 WHERE media_fetch.message_id = message.id AND media_fetch.state IN ('waiting', 'fetched'))
AND NOT EXISTS (SELECT 1
                  FROM message AS forward JOIN delivery ON delivery.message_id = forward.id
                 WHERE forward.forwarded_from_id = message.id)
"""

_OLD = f"""
SELECT id, conversation_id
  FROM message
 WHERE organization_id = %(organization)s AND id > %(after)s AND id < %(first_kept)s AND {_OVER}
 ORDER BY id
 LIMIT %(at_once)s
"""  # noqa: S608 - of constants

_OVER_AMONG = f"SELECT id FROM message WHERE id = ANY(%(ids)s) AND {_OVER} ORDER BY id"  # noqa: S608 - of constants

_DELETE = """
WITH receipts AS (
    DELETE FROM parked_receipt
     USING message
     WHERE message.id = ANY(%(ids)s) AND parked_receipt.account_id = message.account_id
       AND parked_receipt.provider_id = message.provider_id
), events AS (
    DELETE FROM message_event WHERE message_id = ANY(%(ids)s)
), letters AS (
    DELETE FROM dead_letter WHERE message_id = ANY(%(ids)s)
), fetches AS (
    DELETE FROM media_fetch WHERE message_id = ANY(%(ids)s)
)
DELETE FROM message WHERE id = ANY(%(ids)s)
"""

# Nobody could read it any more.
_NOTHING_UNREAD = """
UPDATE conversation SET unread_count = 0
 WHERE id = ANY(%s) AND unread_count > 0
   AND NOT EXISTS (SELECT 1 FROM message WHERE message.conversation_id = conversation.id)
"""
