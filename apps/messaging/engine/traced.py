"""What the engine tells those who follow traces. Nothing of it where tracing is off, or nothing is sampled.

A message remembers the span that accepted it, if that was sampled, and what happens to it later is a child of it.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from uuid import UUID

from apps.core import tracing
from apps.messaging.engine.new_message import Accepted

# Messages of one request that share its trace. Of a larger batch each that is kept has a trace of its own, or one
# page would have to show thousands of spans.
MOST_TOGETHER = 20


def accepting[**P, T](accept: Callable[P, T]) -> Callable[P, T]:
    @wraps(accept)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        with tracing.child("accept"):
            return accept(*args, **kwargs)

    return call


def remembered(accepted: Sequence[Accepted]) -> Sequence[str | None]:
    """For each message the span that it is to remember, or None."""
    if not tracing.is_on():
        return [None] * len(accepted)
    span = tracing.here()
    if span is not None:
        span.note({"recado.messages": len(accepted)})
    if tracing.is_decided() and len(accepted) <= MOST_TOGETHER:
        if span is not None and len(accepted) == 1:
            span.note({"recado.message_id": accepted[0].id})
        return [tracing.traceparent()] * len(accepted)
    return [_own_trace(answer.id, span) if tracing.decide() else None for answer in accepted]


def _own_trace(message_id: UUID, request: tracing.Span | None) -> str:
    of = [request.traceparent] if request else []
    span = tracing.start("accept", {"recado.message_id": message_id}, of=of)
    span.end()
    return span.traceparent


def received(message_id: UUID, trace: str, statuses: Iterable[str], started: int) -> None:
    """What a provider said of it."""
    if tracing.is_on():
        about: tracing.Attributes = {"recado.message_id": message_id, "recado.status": " ".join(statuses)}
        tracing.start("receipt", about, parent=trace, of=_here(), started=started).end()


def _here() -> list[str]:
    found = tracing.traceparent()
    return [found] if found else []
