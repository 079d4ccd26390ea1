"""What providers say later: stored first, answered, then worked on.

Receipts come late, twice, out of order, and before our own `sent` is written. A status only moves forward, so each
counts once (reconcile.py); one whose message is not known yet is parked, and the sweep tries it again.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

import structlog
from django.db import DataError, IntegrityError, transaction

from apps.channels.connector import BadCallback, Receipt, ReceiptStatus
from apps.channels.models import ChannelAccount
from apps.channels.registry import connector
from apps.core import clock
from apps.core.prepared import prepared_cursor
from apps.messaging.engine import bells
from apps.messaging.engine.publisher import publish_now
from apps.messaging.engine.reconcile import KnownReceipt, apply
from apps.messaging.models import ParkedReceipt, ProviderCallback

logger = structlog.get_logger(__name__)

AT_ONCE = 20
SLICE_SECONDS = 5.0
# A callback that cannot be worked on stays for people to look at, and keeps no other from being worked on.
MOST_FAILURES = 5
# Longer than anybody takes to write down what a provider called a message.
PARKED_FOR = timedelta(minutes=10)
PARKED_AT_ONCE = 1000


def store(name: str, headers: Mapping[str, str], body: bytes) -> bool:
    """False when no account of ours has the secret that signed these bytes. Raises BadCallback."""
    provider = connector(name)
    named = provider.accounts_of(body)
    accounts = ChannelAccount.across_organizations.filter(connector=name, provider_account__in=named)
    verified = [
        account.id for account in accounts if provider.verify_callback(headers, body, account.credential_values)
    ]
    if not verified:
        return False
    with transaction.atomic():
        ProviderCallback.objects.create(connector=name, account_ids=verified, body=body, received_at=clock.now())
        bells.ring_on_commit([bells.RECEIVE])
    return True


def receive() -> int:
    """Work on what was stored, until nothing is left or the slice is over."""
    doorbells = bells.doorbells()
    doorbells.answer(bells.RECEIVE)
    ends = time.monotonic() + SLICE_SECONDS
    done = 0
    while time.monotonic() < ends:
        count = receive_batch()
        done += count
        if count:
            publish_now()
        elif doorbells.may_rest(bells.RECEIVE):
            return done
    doorbells.forget([bells.RECEIVE])
    bells.ring([bells.RECEIVE])
    return done


@transaction.atomic
def receive_batch() -> int:
    """Callbacks go in the transaction of what they change: it happens whole, or again."""
    waiting = ProviderCallback.objects.filter(failures__lt=MOST_FAILURES).order_by("pk")
    callbacks = list(waiting.select_for_update(skip_locked=True)[:AT_ONCE])
    if callbacks and not _work_on(callbacks):
        # One of them is to blame: each alone.
        for callback in callbacks:
            if not _work_on([callback]):
                callback.failures += 1
                callback.save(update_fields=["failures"])
    return len(callbacks)


def _work_on(callbacks: Sequence[ProviderCallback]) -> bool:
    """False, and nothing changed, when that is not possible."""
    try:
        with transaction.atomic():
            park(apply([receipt for callback in callbacks for receipt in _receipts_of(callback)]))
            ProviderCallback.objects.filter(pk__in=[callback.pk for callback in callbacks]).delete()
    except (BadCallback, ValueError, TypeError, LookupError, DataError, IntegrityError) as error:
        logger.exception("callback_failed", count=len(callbacks), reason=type(error).__name__)
        return False
    return True


def _receipts_of(callback: ProviderCallback) -> Iterator[KnownReceipt]:
    """One callback may speak of several accounts; only those count whose secret signed it."""
    verified = ChannelAccount.across_organizations.filter(pk__in=callback.account_ids)
    ours: dict[str, list[ChannelAccount]] = {}
    for account in verified:
        ours.setdefault(account.provider_account, []).append(account)
    for receipt in connector(callback.connector).receipts_of(bytes(callback.body)):
        for account in ours.get(receipt.provider_account, ()):
            yield _known(receipt, account)


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
