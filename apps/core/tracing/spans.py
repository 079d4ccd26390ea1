"""The spans of this process: begun, ended, and which of them one is in."""

import atexit
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar, copy_context
from typing import TYPE_CHECKING, Any

from django.conf import settings

from apps.core.tracing.sampling import is_kept
from apps.core.tracing.trace_context import Parent, read, write

if TYPE_CHECKING:
    from apps.core.tracing.export import Recorder

type Attributes = Mapping[str, str | int | float | bool]

# Of one span: a batch may carry thousands.
MOST_LINKS = 32


class Span:
    """One that is kept. Its attributes are ids, counts and states: never a text, an address or a credential."""

    __slots__ = ("_given", "is_call", "span_id", "trace_id", "traceparent")

    def __init__(self, given: Any, *, is_call: bool = False) -> None:
        self._given = given
        context = given.get_span_context()
        self.trace_id = f"{context.trace_id:032x}"
        self.span_id = f"{context.span_id:016x}"
        self.traceparent = write(context.trace_id, context.span_id)
        # Of somebody outside: what is known of their answer belongs to it.
        self.is_call = is_call

    def note(self, attributes: Attributes) -> None:
        self._given.set_attributes(attributes)

    def rename(self, name: str) -> None:
        self._given.update_name(name)

    def fail(self, kind: str) -> None:
        """What it says is left to the log, which hides what is nobody's business."""
        assert _recorder is not None
        _recorder.fail(self._given, kind)

    def link(self, traceparents: Iterable[str]) -> None:
        assert _recorder is not None
        _recorder.link(self._given, _others(traceparents, self.traceparent))

    def end(self) -> None:
        self._given.end()


class _Unsampled:
    """It was decided that what is done here leaves no span."""


_UNSAMPLED = _Unsampled()
_NOTHING: AbstractContextManager[None] = nullcontext()
_current: ContextVar[Span | _Unsampled | None] = ContextVar("recado_span", default=None)
_recorder: "Recorder | None" = None


def begin(process: str) -> None:
    """Said by every process that runs for long, after its last fork."""
    global _recorder  # noqa: PLW0603 - one a process
    if _recorder is None and settings.OTEL_EXPORTER_OTLP_ENDPOINT:
        from apps.core.tracing.export import Recorder  # noqa: PLC0415 - only where it is wanted

        _recorder = Recorder(process)
        atexit.register(end)


def end() -> None:
    """What is at hand is exported, for as long as nobody minds waiting."""
    global _recorder
    recorder, _recorder = _recorder, None
    if recorder is not None:
        recorder.close()


def is_on() -> bool:
    return _recorder is not None


def now() -> int:
    """When something began, for `past`; 0 when nobody will ask."""
    return time.time_ns() if _recorder is not None else 0


def here() -> Span | None:
    found = _current.get()
    return found if isinstance(found, Span) else None


def is_decided() -> bool:
    """Whether what is done here is part of something that was sampled, or was not."""
    return _current.get() is not None


def decide() -> bool:
    """For what nobody above decided about."""
    return _recorder is not None and is_kept()


def traceparent() -> str | None:
    found = _current.get()
    return found.traceparent if isinstance(found, Span) else None


def start(
    name: str,
    attributes: Attributes | None = None,
    *,
    parent: str | None = None,
    of: Iterable[str] = (),
    kind: str = "internal",
    started: int | None = None,
) -> Span:
    """Kept, whoever asks; for those who know that it is. Without a parent it begins a trace."""
    assert _recorder is not None
    return _start(name, kind, read(parent), attributes, links=_others(of, parent), started=started)


def root(name: str, *, kind: str = "internal", caller: str | None = None) -> AbstractContextManager[Span | None]:
    """Where work comes into this process. Goes on with the caller's trace, whether or not theirs is sampled."""
    if _recorder is None:
        return _NOTHING
    parent = read(caller)
    if not is_kept(parent):
        return _as_current(_UNSAMPLED)
    return within(_start(name, kind, parent))


def child(name: str, attributes: Attributes | None = None) -> AbstractContextManager[Span | None]:
    """Of the span that one is in; nothing, where that is none."""
    parent = here() if _recorder is not None else None
    return within(start(name, attributes, parent=parent.traceparent)) if parent else _NOTHING


def past(name: str, started: int, attributes: Attributes | None = None, *, of: Iterable[str] = ()) -> None:
    """Work that has just ended, on behalf of these. In the trace that one is in; else in theirs, if it is a single
    one; else in a trace of its own. It is linked to all that are in others."""
    if _recorder is None:
        return
    behalf = list(dict.fromkeys(of))
    parent = traceparent()
    if parent is None:
        if not behalf:
            return
        parent = behalf[0] if len(behalf) == 1 else None
    start(name, attributes, parent=parent, of=behalf, started=started or None).end()


def inside(span: Span | None) -> AbstractContextManager[object]:
    """Which goes on after it."""
    return _NOTHING if span is None else _as_current(span)


@contextmanager
def within(span: Span) -> Iterator[Span]:
    """Which ends with it."""
    try:
        with _as_current(span):
            yield span
    except Exception as error:
        span.fail(type(error).__name__)
        raise
    finally:
        span.end()


def carried[T](call: Callable[[], T]) -> Callable[[], T]:
    """For another thread, which then is in the span that one is in here."""
    if _current.get() is None:
        return call
    context = copy_context()
    return lambda: context.run(call)


@contextmanager
def _as_current(found: Span | _Unsampled) -> Iterator[None]:
    token = _current.set(found)
    try:
        yield None
    finally:
        _current.reset(token)


def _start(
    name: str,
    kind: str,
    parent: Parent | None,
    attributes: Attributes | None = None,
    *,
    links: Iterable[Parent] = (),
    started: int | None = None,
) -> Span:
    assert _recorder is not None
    given = _recorder.start(name, kind, parent, attributes, links=links, started=started)
    return Span(given, is_call=kind == "client")


def _others(traceparents: Iterable[str], besides: str | None) -> list[Parent]:
    """As many as a span may be linked to. What is in the same trace needs no link."""
    own = read(besides)
    found: dict[int, Parent] = {}
    for each in traceparents:
        parent = read(each)
        if parent is not None and (own is None or parent.trace_id != own.trace_id):
            found.setdefault(parent.trace_id, parent)
            if len(found) == MOST_LINKS:
                break
    return list(found.values())
