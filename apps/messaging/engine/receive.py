"""What providers say later: stored first (store.py), answered, then worked on.

Receipts come late, twice, out of order, and before our own `sent` is written. A status only moves forward, so each
counts once (reconcile.py); one whose message is not known yet is parked, and the sweep tries it again.
"""

import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import accumulate

import structlog
from django.db import DataError, IntegrityError, connection, transaction

from apps.channels.callback import BadCallback, Callback, CallbackEvent, Inbound, Moved, Receipt, ReceiptStatus
from apps.channels.models import ChannelAccount
from apps.channels.registry import connector
from apps.core import clock
from apps.core.deadlocks import tried_again
from apps.core.prepared import prepared_cursor
from apps.messaging import conversations
from apps.messaging.engine import bells, fallback
from apps.messaging.engine.incoming import take_in
from apps.messaging.engine.publisher import publish_now
from apps.messaging.engine.reconcile import KnownReceipt, apply
from apps.messaging.models import ParkedReceipt, ProviderCallback
from apps.messaging.models.provider_callback import MOST_FAILURES

logger = structlog.get_logger(__name__)

AT_ONCE = 50
BYTES_AT_ONCE = 256 * 1024
SLICE_SECONDS = 5.0
# Longer than anybody takes to write down what a provider called a message.
PARKED_FOR = timedelta(minutes=10)
PARKED_AT_ONCE = 1000
# A provider repeats what was not answered for longer; those repetitions are worked on again, and change nothing.
SEEN_FOR = timedelta(days=1)
SEEN_AT_ONCE = 10_000
# Of PostgreSQL's advisory locks.
_LANES_OF_CALLBACKS = 0x5EC4D0


def receive(lane: int) -> int:
    """Work on what was stored in a lane, until nothing is left or the slice is over."""
    bell = bells.receive_bell(lane)
    doorbells = bells.doorbells()
    doorbells.answer(bell)
    ends = time.monotonic() + SLICE_SECONDS
    done = 0
    while time.monotonic() < ends:
        count = receive_batch(lane)
        done += count
        if count:
            publish_now()
            fallback.take_due()
        elif doorbells.may_rest(bell):
            return done
    doorbells.forget([bell])
    bells.ring([bell])
    return done


@tried_again
@transaction.atomic
def receive_batch(lane: int) -> int:
    """Callbacks go in the transaction of what they change: it happens whole, or again.

    One at a time in a lane, or what a person wrote first could be written down last. Two lanes may come to wait
    for each other, where a route leads from one to the other and another one back.
    """
    with prepared_cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_LANES_OF_CALLBACKS, lane])
        cursor.execute(_NEXT, {"lane": lane, "most_failures": MOST_FAILURES, "most": AT_ONCE})
        turns = [callback_id for (callback_id,) in cursor.fetchall()]
    found = ProviderCallback.objects.in_bulk(turns)
    callbacks = _together([found[callback_id] for callback_id in turns])
    if callbacks and not _work_on(callbacks):
        # One of them is to blame: each alone.
        for callback in callbacks:
            if not _work_on([callback]):
                callback.failures += 1
                callback.save(update_fields=["failures"])
    return len(callbacks)


# Accounts take turns: the first of each, then the second of each. So one that is flooded delays no other in its
# lane, and what is of one account stays in its order.
_NEXT = """
WITH RECURSIVE account AS (
    (SELECT account_id
       FROM provider_callback
      WHERE lane = %(lane)s AND failures < %(most_failures)s
      ORDER BY account_id
      LIMIT 1)
     UNION ALL
    SELECT (SELECT account_id
              FROM provider_callback
             WHERE lane = %(lane)s AND failures < %(most_failures)s AND account_id > account.account_id
             ORDER BY account_id
             LIMIT 1)
      FROM account
     WHERE account.account_id IS NOT NULL
)
SELECT next.id
  FROM account,
       LATERAL (SELECT id, row_number() OVER (ORDER BY id) AS turn
                  FROM (SELECT id
                          FROM provider_callback
                         WHERE lane = %(lane)s AND failures < %(most_failures)s
                           AND account_id = account.account_id
                         ORDER BY id
                         LIMIT %(most)s) AS first) AS next
 ORDER BY next.turn, next.id
 LIMIT %(most)s
"""


def _together(waiting: Sequence[ProviderCallback]) -> list[ProviderCallback]:
    """The first of them, and as many more as make one batch of a usual size: a lane is shared."""
    sizes = accumulate(len(callback.body) for callback in waiting)
    fitting = sum(size <= BYTES_AT_ONCE for size in sizes)
    return list(waiting[: max(fitting, 1)])


def _work_on(callbacks: Sequence[ProviderCallback]) -> bool:
    """False, and nothing changed, when that is not possible."""
    try:
        with transaction.atomic():
            _apply(list(_events_of(callbacks)))
            ProviderCallback.objects.filter(pk__in=[callback.pk for callback in callbacks]).delete()
    except (BadCallback, ValueError, TypeError, LookupError, DataError, IntegrityError) as error:
        logger.exception("callback_failed", count=len(callbacks), reason=type(error).__name__)
        return False
    return True


def _events_of(callbacks: Sequence[ProviderCallback]) -> Iterator[tuple[ChannelAccount, CallbackEvent]]:
    """What they say of the accounts whose secret signed them."""
    accounts = ChannelAccount.across_organizations.in_bulk({callback.account_id for callback in callbacks})
    for callback in callbacks:
        account = accounts.get(callback.account_id)
        if account is None:
            continue
        for event in connector(callback.connector).events_of(Callback(callback.url, {}, bytes(callback.body))):
            if event.provider_account in {"", account.provider_account}:
                yield account, event


def _apply(events: Sequence[tuple[ChannelAccount, CallbackEvent]]) -> None:
    for account, event in events:
        if isinstance(event, Moved):
            conversations.move(account, event.old, event.new)
    take_in([(account, event) for account, event in events if isinstance(event, Inbound)])
    park(apply([_known(event, account) for account, event in events if isinstance(event, Receipt)]))


def _known(receipt: Receipt, account: ChannelAccount) -> KnownReceipt:
    error = receipt.error
    return KnownReceipt(
        account.id,
        receipt.provider_id,
        receipt.status,
        # Their clock may be wrong, but nothing happens later than it is reported.
        min(receipt.at, clock.now()),
        receipt.message_id,
        error.name if error else "",
        error.code if error else "",
        error.detail if error else "",
    )


def park(unmatched: Sequence[KnownReceipt]) -> None:
    """For later: perhaps we are only just writing down what the provider called the message."""
    ParkedReceipt.objects.bulk_create(
        [
            ParkedReceipt(
                account_id=receipt.account_id,
                provider_id=receipt.provider_id[:255],
                status=receipt.status,
                at=receipt.at,
                error_class=receipt.error_class,
                error_code=receipt.error_code,
                error_detail=receipt.error_detail,
                parked_at=clock.now(),
            )
            for receipt in unmatched
        ],
        ignore_conflicts=True,
    )


@transaction.atomic
def try_parked() -> int:
    """Asked by the sweep: the receipts whose message has become known. The others are forgotten in the end."""
    forgotten, _ = ParkedReceipt.objects.filter(parked_at__lt=clock.now() - PARKED_FOR).delete()
    if forgotten:
        logger.info("receipts_unmatched", count=forgotten)
    with prepared_cursor() as cursor:
        cursor.execute(_TAKE_MATCHED, [PARKED_AT_ONCE])
        receipts = [KnownReceipt(row[0], row[1], ReceiptStatus(row[2]), row[3], None, *row[4:])
                    for row in cursor.fetchall()]  # fmt: skip
    apply(receipts)
    return len(receipts)


_TAKE_MATCHED = """
DELETE FROM parked_receipt
 WHERE id IN (SELECT parked.id
                FROM parked_receipt AS parked
               WHERE EXISTS (SELECT 1
                               FROM message
                              WHERE message.account_id = parked.account_id
                                AND message.provider_id = parked.provider_id)
               ORDER BY parked.id
               LIMIT %s
                 FOR UPDATE SKIP LOCKED)
RETURNING account_id, provider_id, status, at, error_class, error_code, error_detail
"""


def forget_seen() -> int:
    """Asked by beat: digests of callbacks that are too old to come again."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM seen_callback"
            " WHERE digest IN (SELECT digest FROM seen_callback WHERE seen_at < %s LIMIT %s)",
            [clock.now() - SEEN_FOR, SEEN_AT_ONCE],
        )
        forgotten: int = cursor.rowcount
    return forgotten
