"""Try dead letters again, or let them rest.

A replay is a new attempt of the same message, at the end of its conversation's queue, with a new life of its own.
Replays of many go in batches and at low priority, so that they hold up nobody's new messages.
"""

from collections.abc import Sequence
from uuid import UUID

from django.db import connection, transaction

from apps.accounts.models import Organization
from apps.messaging.engine import bells, order
from apps.messaging.engine.judge import LONGEST_LIFE
from apps.messaging.engine.publisher import publish_soon
from apps.messaging.statuses import Priority, Status, before


@transaction.atomic
def replay(
    organization: Organization,
    dead_letters: Sequence[UUID],
    priority: int = Priority.NORMAL,
    *,
    clearing: UUID | None = None,
) -> list[UUID]:
    """Those that are being tried again now; the others were alive, discarded or not there."""
    with connection.cursor() as cursor:
        cursor.execute(_CONVERSATIONS, [list(dead_letters), organization.id])
        order.lock(cursor, [conversation for (conversation,) in cursor.fetchall()])
        cursor.execute(
            _REPLAY,
            {
                "dead_letters": list(dead_letters),
                "organization": organization.id,
                "priority": priority,
                "clearing": clearing,
                "life_seconds": LONGEST_LIFE.total_seconds(),
                "before_queued": before(Status.QUEUED),
            },
        )
        replayed = cursor.fetchall()
    due = {bells.drain_bell(connector, account_id): None for _, account_id, connector in replayed}
    bells.ring_on_commit(due)
    publish_soon()
    return [message_id for message_id, _, _ in replayed]


_CONVERSATIONS = """
SELECT DISTINCT message.conversation_id
  FROM dead_letter JOIN message ON message.id = dead_letter.message_id
 WHERE dead_letter.id = ANY(%s) AND dead_letter.organization_id = %s
"""

_REPLAY = """
WITH dead AS MATERIALIZED (
    UPDATE dead_letter
       SET state = 'replaying', replays = replays + 1, clearing_id = %(clearing)s, changed_at = now()
     WHERE id = ANY(%(dead_letters)s) AND organization_id = %(organization)s AND state = 'open'
    RETURNING message_id
), alive AS (
    UPDATE message
       SET status = 'queued', error_class = '', error_code = '', error_detail = '', priority = %(priority)s,
           expires_at = now() + make_interval(secs => %(life_seconds)s)
      FROM dead
     WHERE message.id = dead.message_id AND message.status = ANY(%(before_queued)s)
    RETURNING message.id, message.organization_id, message.account_id, message.conversation_id, message.expires_at,
              message.trace
), queued AS (
    INSERT INTO delivery (message_id, organization_id, account_id, conversation_id, is_head, state, priority,
                          due_at, expires_at, attempt, trace)
    SELECT alive.id, alive.organization_id, alive.account_id, alive.conversation_id,
           account.ordering = 'relaxed'
           OR row_number() OVER (PARTITION BY alive.conversation_id ORDER BY alive.id) = 1
              AND NOT EXISTS (SELECT 1
                                FROM delivery AS before
                               WHERE before.conversation_id = alive.conversation_id
                                 AND before.state <> 'scheduled'),
           'waiting', %(priority)s, now(), alive.expires_at, 0, alive.trace
      FROM alive JOIN channel_account AS account ON account.id = alive.account_id
     ORDER BY alive.id
), noted AS (
    INSERT INTO message_event (organization_id, message_id, conversation_id, kind, at, attempt, detail, trace)
    SELECT organization_id, id, conversation_id, 'replayed', now(), 0, '{}', trace FROM alive
)
SELECT alive.id, alive.account_id, account.connector
  FROM alive JOIN channel_account AS account ON account.id = alive.account_id
"""


def discard(
    organization: Organization, dead_letters: Sequence[UUID], reason: str, *, clearing: UUID | None = None
) -> list[UUID]:
    """Those that rest now; the others were alive, discarded before, or not there."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE dead_letter
               SET state = 'discarded', discard_reason = %s, clearing_id = %s, changed_at = now()
             WHERE id = ANY(%s) AND organization_id = %s AND state = 'open'
            RETURNING id
            """,
            [reason, clearing, list(dead_letters), organization.id],
        )
        return [dead_letter for (dead_letter,) in cursor.fetchall()]
