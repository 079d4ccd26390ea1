"""Whatever no bell rang for: every few seconds, by whoever gets to it first.

Nothing here is needed as long as all goes well. It is what makes every other part free to die at any moment.
"""

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

import structlog
from django.db import connection, transaction

from apps.channels.errors import OutcomeUnknown
from apps.channels.models import ChannelAccount
from apps.channels.registry import queue_of
from apps.core.ids import new_id
from apps.core.redis import RedisError
from apps.messaging.engine import bells, counted, fallback, fetch_media, order, receive
from apps.messaging.engine.claim import LEASE_SECONDS, Claimed
from apps.messaging.engine.doorbell import Bell
from apps.messaging.engine.outcome import Outcome, Result
from apps.messaging.engine.publish import publish_forgotten
from apps.messaging.engine.record import record
from apps.messaging.engine.settle import outcome_of_failure
from apps.messaging.engine.unread import unread
from apps.messaging.models import DeliveryState, ProviderCallback
from apps.messaging.models.provider_callback import MOST_FAILURES
from apps.messaging.statuses import NOT_SENT

logger = structlog.get_logger(__name__)

AT_ONCE = 500
# The queue of the engine's own tasks.
EVENTS = "events"
# So much of one thing in one sweep; the next sweep goes on.
MOST_ROUNDS = 20


def recover() -> dict[str, int]:
    """What was found. Each step is a transaction of its own; another sweep may have been there before."""
    found = Counter(
        published=_publish(),
        leases=_until_done(lambda: _take_over(DeliveryState.SENDING)),
        unknown=_until_done(lambda: _take_over(DeliveryState.UNKNOWN)),
        scheduled=_until_done(_enqueue_scheduled),
        expired=_until_done(_expire),
        receipts=_until_done(receive.try_parked),
        fell_back=_until_done(fallback.take_due, fallback.AT_ONCE),
    )
    _ring_silent_accounts()
    fetch_media.ring_due()
    lanes = ProviderCallback.objects.filter(failures__lt=MOST_FAILURES).values_list("lane", flat=True)
    bells.ring_again([bells.receive_bell(lane) for lane in set(lanes.distinct())], EVENTS)
    seen = {name: count for name, count in found.items() if count}
    if seen:
        logger.info("recovered", **seen)
    return seen


def _publish() -> int:
    try:
        return publish_forgotten()
    except RedisError as error:
        logger.warning("events_not_published", reason=type(error).__name__)
        return 0


def _until_done(step: Callable[[], int], at_once: int = AT_ONCE) -> int:
    total = 0
    for _ in range(MOST_ROUNDS):
        count = step()
        total += count
        if count < at_once:
            break
    return total


@dataclass(frozen=True, slots=True)
class _TakenOver:
    message_id: UUID
    conversation_id: UUID
    account_id: UUID
    attempt: int
    status: str


def _take_over(state: DeliveryState) -> int:
    """Leases that ended in the middle of a send, and outcomes that no receipt settled in time.

    First the deliveries become ours, under a lease, like anybody's; then what is to become of them is recorded.
    """
    lease = new_id()
    with connection.cursor() as cursor:
        cursor.execute(
            _TAKE_OVER,
            {"state": state, "lease": lease, "lease_seconds": LEASE_SECONDS, "most": AT_ONCE},
        )
        taken = [_TakenOver(*row) for row in cursor.fetchall()]
    accounts = ChannelAccount.across_organizations.in_bulk({each.account_id for each in taken})
    has_awaited_receipt = state == DeliveryState.UNKNOWN
    outcomes = [
        _outcome(each, accounts[each.account_id], lease, has_awaited_receipt=has_awaited_receipt) for each in taken
    ]
    moved = record(outcomes).moved
    for account in accounts.values():
        theirs = [outcome for each, outcome in zip(taken, outcomes, strict=True) if each.account_id == account.id]
        # That an outcome is unknown was counted when it became so.
        counted.outcomes(account, [(each, None) for each in theirs], moved, is_news=not has_awaited_receipt)
    bells.ring(bells.drain_bell(account.connector, account.id) for account in accounts.values())
    return len(taken)


def _outcome(taken: _TakenOver, account: ChannelAccount, lease: UUID, has_awaited_receipt: bool) -> Outcome:
    if taken.status not in NOT_SENT:
        return Outcome(taken.message_id, taken.conversation_id, lease, Result.SETTLED)
    delivery = Claimed(taken.message_id, taken.conversation_id, "", "", taken.attempt, is_expired=False)
    error = OutcomeUnknown("no_receipt" if has_awaited_receipt else "worker_lost", "")
    outcome = outcome_of_failure(account, delivery, lease, error, has_awaited_receipt=has_awaited_receipt)
    if outcome.result is Result.RETRYING:
        # What invariant 4 allows, and asks to be counted: this may reach the person twice.
        logger.warning("sent_again_unknown", message_id=str(taken.message_id), account_id=str(account.id))
    return outcome


_TAKE_OVER = f"""
UPDATE delivery
   SET state = 'sending', lease = %(lease)s, due_at = now() + make_interval(secs => %(lease_seconds)s)
  FROM (SELECT message_id
          FROM delivery
         WHERE state = %(state)s AND state <> 'waiting' AND due_at <= now()
           AND (state <> 'unknown' OR NOT ({unread("delivery.account_id")}))
         ORDER BY due_at
         LIMIT %(most)s
           FOR UPDATE SKIP LOCKED) AS overdue,
       message
 WHERE delivery.message_id = overdue.message_id AND message.id = overdue.message_id
RETURNING delivery.message_id, delivery.conversation_id, delivery.account_id, delivery.attempt, message.status
"""  # noqa: S608 - of constants


@transaction.atomic
def _enqueue_scheduled() -> int:
    """A message for later takes its place in its conversation when it is due, not when it was accepted."""
    with connection.cursor() as cursor:
        cursor.execute(_DUE_SCHEDULED, [AT_ONCE])
        due = cursor.fetchall()
        if not due:
            return 0
        order.lock(cursor, [conversation for _, conversation, _ in due])
        cursor.execute(_ENQUEUE, [[message for message, _, _ in due]])
    _ring_accounts({account for _, _, account in due})
    return len(due)


_DUE_SCHEDULED = """
SELECT message_id, conversation_id, account_id
  FROM delivery
 WHERE state = 'scheduled' AND state <> 'waiting' AND due_at <= now()
 ORDER BY due_at
 LIMIT %s
"""

# Another sweep may have been faster: it changed the state while we waited for the conversation.
_ENQUEUE = """
WITH due AS MATERIALIZED (
    SELECT delivery.message_id, delivery.conversation_id, delivery.due_at, account.ordering
      FROM delivery JOIN channel_account AS account ON account.id = delivery.account_id
     WHERE delivery.message_id = ANY(%s) AND delivery.state = 'scheduled'
     ORDER BY delivery.due_at, delivery.position
), placed AS (
    SELECT message_id, nextval('delivery_position') AS position,
           ordering = 'relaxed'
           OR row_number() OVER (PARTITION BY conversation_id ORDER BY due_at) = 1
              AND NOT EXISTS (SELECT 1
                                FROM delivery AS before
                               WHERE before.conversation_id = due.conversation_id AND before.state <> 'scheduled')
           AS is_head
      FROM due
)
UPDATE delivery
   SET state = 'waiting', position = placed.position, is_head = placed.is_head
  FROM placed
 WHERE delivery.message_id = placed.message_id
"""


@transaction.atomic
def _expire() -> int:
    """What waited too long. What is at the provider, or may have been sent, is followed to its end first."""
    with connection.cursor() as cursor:
        cursor.execute(_OVERDUE, [AT_ONCE])
        overdue = cursor.fetchall()
        if not overdue:
            return 0
        order.lock(cursor, [conversation for _, conversation in overdue])
        cursor.execute(_EXPIRE, [[message for message, _ in overdue]])
        ended = cursor.fetchall()
        order.promote(
            cursor, [(conversation, position) for conversation, position, was_head, _ in ended if was_head]
        )
    counted.dropped("expired", (connector for *_, connector in ended))
    return len(overdue)


_OVERDUE = """
SELECT message_id, conversation_id
  FROM delivery
 WHERE expires_at <= now() AND state IN ('waiting', 'scheduled')
 ORDER BY expires_at
 LIMIT %s
"""

_EXPIRE = """
WITH ended AS (
    DELETE FROM delivery
     WHERE message_id = ANY(%s) AND state IN ('waiting', 'scheduled')
    RETURNING message_id, organization_id, account_id, conversation_id, position, is_head, attempt, trace
), moved AS (
    UPDATE message SET status = 'expired'
      FROM ended
     WHERE message.id = ended.message_id AND message.status IN ('queued', 'sending')
    RETURNING ended.*
), noted AS (
    INSERT INTO message_event (organization_id, message_id, conversation_id, kind, at, attempt, detail, trace)
    SELECT organization_id, message_id, conversation_id, 'expired', now(), attempt, '{}', trace FROM moved
)
SELECT conversation_id, position, is_head, account.connector
  FROM ended JOIN channel_account AS account ON account.id = ended.account_id
"""


def _ring_silent_accounts() -> None:
    """Accounts with something due. Where a drain is at work already, the bell stays silent."""
    with connection.cursor() as cursor:
        cursor.execute(_WITH_DUE)
        waiting = cursor.fetchall()
    by_connector: dict[str, list[Bell]] = defaultdict(list)
    for account_id, connector in waiting:
        by_connector[connector].append(bells.drain_bell(connector, account_id))
    for connector, silent in by_connector.items():
        bells.ring_again(silent, queue_of(connector))


_WITH_DUE = """
SELECT account.id, account.connector
  FROM channel_account AS account
 WHERE (account.paused_at IS NULL OR account.paused_until <= now())
   AND EXISTS (SELECT 1
                 FROM unnest('{2,1,0}'::smallint[]) AS level (priority),
                      LATERAL (SELECT 1
                                 FROM delivery
                                WHERE account_id = account.id AND state = 'waiting' AND is_head
                                  AND priority = level.priority AND due_at <= now()
                                LIMIT 1) AS due)
"""


def _ring_accounts(account_ids: set[UUID]) -> None:
    accounts = ChannelAccount.across_organizations.filter(pk__in=account_ids).values_list("connector", "id")
    bells.ring_on_commit([bells.drain_bell(connector, account_id) for connector, account_id in accounts])
