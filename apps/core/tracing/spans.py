"""The spans of this process: begun, ended, and which of them one is in."""

import atexit
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar, Token, copy_context
from typing import TYPE_CHECKING

from django.conf import settings

from apps.core.tracing.sampling import is_kept
from apps.core.tracing.span import Attributes, Span, others
from apps.core.tracing.trace_context import Parent, read

if TYPE_CHECKING:
    from apps.core.tracing.export import Exporter


class _Unsampled:
    """It was decided that what is done here leaves no span."""


_UNSAMPLED = _Unsampled()
_NOTHING: AbstractContextManager[None] = nullcontext()
_current: ContextVar[Span | _Unsampled | None] = ContextVar("recado_span", default=None)
_exporter: "Exporter | None" = None


def begin(process: str) -> None:
    """Said by every process that runs for long, after its last fork."""
    global _exporter  # noqa: PLW0603 - one a process
    if _exporter is None and settings.OTEL_EXPORTER_OTLP_ENDPOINT:
        from apps.core.tracing.export import Exporter  # noqa: PLC0415 - only where it is wanted

        _exporter = Exporter(process)
        atexit.register(end)


def end() -> None:
    """What is at hand is exported, for as long as nobody minds waiting."""
    global _exporter
    exporter, _exporter = _exporter, None
    if exporter is not None:
        exporter.close()


def is_on() -> bool:
    return _exporter is not None


def now() -> int:
    """When something began, for `past`; 0 when nobody will ask."""
    return time.time_ns() if _exporter is not None else 0


def here() -> Span | None:
    found = _current.get()
    return found if isinstance(found, Span) else None


def is_decided() -> bool:
    """Whether what is done here is part of something that was sampled, or was not."""
    return _current.get() is not None


def decide() -> bool:
    """For what nobody above decided about."""
    return _exporter is not None and is_kept()


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
    assert _exporter is not None
    return _start(name, kind, read(parent), attributes, links=others(of, parent), started=started)


def root(name: str, *, kind: str = "internal", caller: str | None = None) -> AbstractContextManager[Span | None]:
    """Where work comes into this process. Goes on with the caller's trace, whether or not theirs is sampled."""
    if _exporter is None:
        return _NOTHING
    parent = read(caller)
    if not is_kept(parent):
        return _Inside(_UNSAMPLED)
    return within(_start(name, kind, parent))


def child(name: str, attributes: Attributes | None = None) -> AbstractContextManager[Span | None]:
    """Of the span that one is in; nothing, where that is none."""
    parent = here() if _exporter is not None else None
    return within(start(name, attributes, parent=parent.traceparent)) if parent else _NOTHING


def past(name: str, started: int, attributes: Attributes | None = None, *, of: Iterable[str] = ()) -> None:
    """Work that has just ended, on behalf of these. In the trace that one is in; else in theirs, if it is a single
    one; else in a trace of its own. It is linked to all that are in others."""
    if _exporter is None:
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
    return _NOTHING if span is None else _Inside(span)


def within(span: Span) -> AbstractContextManager[Span]:
    """Which ends with it."""
    return _Within(span)


def carried[T](call: Callable[[], T]) -> Callable[[], T]:
    """For another thread, which then is in the span that one is in here."""
    if _current.get() is None:
        return call
    context = copy_context()
    return lambda: context.run(call)


# Classes and no generators: those were a quarter of what a span costs.
class _Inside(AbstractContextManager[None]):
    __slots__ = ("_found", "_token")

    def __init__(self, found: Span | _Unsampled) -> None:
        self._found = found

    def __enter__(self) -> None:
        self._token: Token[Span | _Unsampled | None] = _current.set(self._found)

    def __exit__(self, *_: object) -> None:
        _current.reset(self._token)


class _Within(AbstractContextManager[Span]):
    __slots__ = ("_span", "_token")

    def __init__(self, span: Span) -> None:
        self._span = span

    def __enter__(self) -> Span:
        self._token: Token[Span | _Unsampled | None] = _current.set(self._span)
        return self._span

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        _current.reset(self._token)
        if kind is not None and issubclass(kind, Exception):
            self._span.fail(kind.__name__)
        self._span.end()


def _start(
    name: str,
    kind: str,
    parent: Parent | None,
    attributes: Attributes | None = None,
    *,
    links: Iterable[Parent] = (),
    started: int | None = None,
) -> Span:
    assert _exporter is not None
    return Span(_exporter.keep, name, kind, parent, attributes=attributes, links=list(links), started=started)
