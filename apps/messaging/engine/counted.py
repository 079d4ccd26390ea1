"""What happened, counted for Prometheus: a line in the engine each, once a batch.

Counted is what was committed. Whoever may be in a transaction says `on_commit`.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import transaction

from apps.channels.errors import OutcomeUnknown
from apps.channels.metrics import class_of, labels_of
from apps.channels.models import ChannelAccount
from apps.channels.registry import connector_class
from apps.core import clock
from apps.messaging import metrics
from apps.messaging.engine.claim import Claimed
from apps.messaging.engine.new_message import Accepted
from apps.messaging.engine.outcome import Outcome, Result
from apps.messaging.statuses import NOT_SENT, EventKind, Status

if TYPE_CHECKING:
    from apps.messaging.engine.reconcile import KnownReceipt

# Events that say when we wrote them; others say when something happened elsewhere.
WRITTEN_NOW = frozenset({EventKind.QUEUED, EventKind.SENDING, EventKind.SENT, EventKind.RETRYING, EventKind.HELD})
_DROPPED = {Result.EXPIRED, Result.CANCELLED}


def accepted(answers: Sequence[Accepted]) -> None:
    """Nothing where the transaction is rolled back."""
    places = Counter((answer.place.connector, answer.place.rate_per_second) for answer in answers)

    def count() -> None:
        for (connector, rate), n in places.items():
            metrics.ACCEPTED.add(connector, class_of(rate), by=n)

    transaction.on_commit(count)


def claimed(account: ChannelAccount, how_many: int) -> None:
    if how_many:
        metrics.CLAIMED.add(*labels_of(account), by=how_many)


def outcomes(
    account: ChannelAccount,
    outcomes: Sequence[tuple[Outcome, Claimed | None]],
    moved: Collection[UUID] | None,
    *,
    is_news: bool = True,
) -> None:
    """What was written down of attempts. `moved`: the messages that ended with it; None: all that were to.

    Where it is no news, the attempts were counted before; what is decided now is not.
    """
    if is_news:
        _attempts(account, [outcome for outcome, _ in outcomes])
    _ends(account, [pair for pair in outcomes if moved is None or pair[0].message_id in moved])
    again = sum(
        outcome.result is Result.RETRYING and isinstance(outcome.error, OutcomeUnknown) for outcome, _ in outcomes
    )
    # A provider that is given the same message twice may drop the second by itself.
    if again and not connector_class(account.connector).capabilities.sends_are_idempotent:
        metrics.SENT_AGAIN_UNKNOWN.add(account.connector, by=again)


def _attempts(account: ChannelAccount, outcomes: Sequence[Outcome]) -> None:
    called = [
        outcome.milliseconds / 1000
        for outcome in outcomes
        if outcome.milliseconds is not None and outcome.result is not Result.EXPIRED
    ]
    metrics.PROVIDER_CALL.add(account.connector, seconds=called)
    errors = Counter(outcome.error.name for outcome in outcomes if outcome.error is not None)
    for name, n in errors.items():
        metrics.ATTEMPTS_FAILED.add(*labels_of(account), name, by=n)
    if unknown := errors[OutcomeUnknown.name]:
        metrics.OUTCOMES_UNKNOWN.add(account.connector, by=unknown)


def _ends(account: ChannelAccount, outcomes: Sequence[tuple[Outcome, Claimed | None]]) -> None:
    labels, now = labels_of(account), clock.now().timestamp()
    results = Counter(outcome.result for outcome, _ in outcomes)
    if sent := results[Result.SENT]:
        metrics.SENT.add(*labels, by=sent)
        waited = [
            max(0.0, now - delivery.since)
            for outcome, delivery in outcomes
            if delivery is not None and outcome.result is Result.SENT
        ]
        metrics.ACCEPT_TO_SENT.add(*labels, seconds=waited)
    if results[Result.FAILED]:
        ends = [outcome.error.name for outcome, _ in outcomes if outcome.error and outcome.result is Result.FAILED]
        for name, n in Counter(ends).items():
            metrics.FAILED.add(*labels, name, by=n)
    for result in _DROPPED & results.keys():
        metrics.DROPPED.add(account.connector, result, by=results[result])


def dropped(reason: str, connectors: Iterable[str]) -> None:
    counts = Counter(connectors)

    def count() -> None:
        for connector, n in counts.items():
            metrics.DROPPED.add(connector, reason, by=n)

    transaction.on_commit(count)


def limited(account: ChannelAccount, scope: str, waits: Sequence[float]) -> None:
    if waits:
        metrics.LIMITER_WAITS.add(account.connector, scope, by=len(waits))
        metrics.LIMITER_WAIT_SECONDS.add(account.connector, scope, by=sum(waits))


def breaker_opened(account: ChannelAccount) -> None:
    metrics.BREAKER_OPENED.add(account.connector)


@contextmanager
def drain(account: ChannelAccount) -> Iterator[None]:
    metrics.DRAINS.move(account.connector, by=1)
    try:
        yield
    finally:
        metrics.DRAINS.move(account.connector, by=-1)


class Moves:
    """What receipts changed, message by message; counted once that is committed."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[Any, ...]] = Counter()
        self._seconds: dict[str, list[float]] = defaultdict(list)

    def add(self, labels: tuple[str, str], before: Status, receipt: "KnownReceipt", seconds: float | None) -> None:
        """One that was read was delivered, and one that was delivered was sent, whether anybody said so or not."""
        now = Status(receipt.status)
        if now is Status.FAILED:
            self._counts[(metrics.FAILED, *labels, receipt.error_class)] += 1
            return
        if before in NOT_SENT:
            self._counts[(metrics.SENT, *labels)] += 1
        if now is not Status.SENT and before is not Status.DELIVERED:
            self._counts[(metrics.DELIVERED, *labels)] += 1
            if seconds is not None:
                self._seconds[labels[0]].append(max(0.0, seconds))
        if now is Status.READ:
            self._counts[(metrics.READ, *labels)] += 1

    def count(self) -> None:
        for (metric, *labels), n in self._counts.items():
            metric.add(*labels, by=n)
        for connector, seconds in self._seconds.items():
            metrics.SENT_TO_DELIVERED.add(connector, seconds=seconds)


def received(connectors: Iterable[str]) -> None:
    counts = Counter(connectors)

    def count() -> None:
        for connector, n in counts.items():
            metrics.RECEIVED.add(connector, by=n)

    transaction.on_commit(count)


def callback(connector: str, *, is_accepted: bool) -> None:
    metrics.PROVIDER_CALLBACKS.add(connector, "accepted" if is_accepted else "refused")


def published(events: Iterable[tuple[str, str]]) -> None:
    """Their kinds and when they were written, in order."""
    oldest = next((at for kind, at in events if kind in WRITTEN_NOW), None)
    if oldest is not None:
        lag = (clock.now() - datetime.fromisoformat(oldest)).total_seconds()
        metrics.PUBLISH_LAG.add(seconds=[max(0.0, lag)])
