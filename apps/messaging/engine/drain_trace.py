"""What a drain tells those who follow traces: itself once, and each attempt in its message's own trace."""

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

from apps.channels.models import ChannelAccount
from apps.core import tracing
from apps.messaging.engine.claim import LEASE_SECONDS, Claim, Claimed
from apps.messaging.engine.outcome import Outcome
from apps.messaging.engine.settle import Attempt


class DrainTrace:
    """The span of a drain: in the trace of whoever rang for it, else in one of its own from when it first carries
    a message that is kept."""

    __slots__ = ("_account", "_linked", "_span", "_started", "_task")

    def __init__(self, account: ChannelAccount, task: str, ringer: str | None) -> None:
        self._account = account
        self._task = task
        self._started = tracing.now()
        self._linked: set[str] = set()
        self._span = self._begin(ringer) if ringer and tracing.is_on() else None

    async def around(self, work: Callable[[], Awaitable[None]], tally: Mapping[str, int]) -> None:
        try:
            with tracing.inside(self._span):
                await work()
        finally:
            if self._span is not None:
                self._span.note({f"recado.{name}": count for name, count in tally.items() if count})
                self._span.end()

    def claimed(self, claim: Claim) -> None:
        """Of which some may be kept. Told when it is over, for only then it is known."""
        if not tracing.is_on():
            return
        of = _of(claim.deliveries)
        if self._span is None:
            if not of:
                return
            self._span = self._begin(None)
        new = [each for each in of if each not in self._linked][: tracing.MOST_LINKS - len(self._linked)]
        self._linked.update(new)
        self._span.link(new)
        seconds = time.monotonic() - (claim.lease_ends - LEASE_SECONDS)
        self._tell("claim", tracing.now() - int(seconds * 1e9), len(claim.deliveries), of)

    def recorded(self, attempts: Sequence[Attempt], started: int) -> None:
        if self._span is not None:
            self._tell("record", started, len(attempts), _of(attempt.delivery for attempt in attempts))

    async def calling(self, delivery: Claimed, attempt: Awaitable[Outcome]) -> Outcome:
        """One attempt at the provider, as a part of its message's trace."""
        if delivery.trace is None or not tracing.is_on():
            return await attempt
        about: tracing.Attributes = {
            "recado.message_id": delivery.message_id,
            "recado.channel": self._account.connector,
            "recado.attempt": delivery.attempt,
        }
        of = [self._span.traceparent] if self._span else []
        with tracing.within(tracing.start("send", about, parent=delivery.trace, of=of, kind="client")) as span:
            outcome = await attempt
            span.note({"recado.outcome": outcome.result.value})
            if outcome.error is not None:
                if outcome.error.heard is not None:
                    span.note({"http.response.status_code": outcome.error.heard.status})
                span.fail(outcome.error.name)
            return outcome

    def _begin(self, ringer: str | None) -> tracing.Span:
        about = {"recado.channel": self._account.connector, "recado.task_id": self._task}
        return tracing.start("drain", about, parent=ringer, kind="consumer", started=self._started)

    def _tell(self, name: str, started: int, count: int, of: Sequence[str]) -> None:
        assert self._span is not None
        about: tracing.Attributes = {"recado.messages": count, "recado.channel": self._account.connector}
        tracing.start(name, about, parent=self._span.traceparent, of=of, started=started).end()


def _of(deliveries: Iterable[Claimed]) -> list[str]:
    return [delivery.trace for delivery in deliveries if delivery.trace is not None]
