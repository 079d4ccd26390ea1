"""One span: what is known of it while it lasts, and when it has ended."""

import time
from collections.abc import Callable, Iterable, Mapping
from random import getrandbits
from uuid import UUID

from apps.core.tracing.trace_context import Parent, read, write

type Attributes = Mapping[str, str | int | float | bool | UUID]

# Of one span: a batch may carry thousands.
MOST_LINKS = 32


class Span:
    """One that is kept. Its attributes are ids, counts and states: never a text, an address or a credential."""

    __slots__ = (
        "_keep", "attributes", "ended", "is_error", "kind", "links", "name", "parent_id", "span_id", "started",
        "trace_id",
    )  # fmt: skip

    def __init__(
        self,
        keep: Callable[["Span"], None],
        name: str,
        kind: str,
        parent: Parent | None,
        *,
        attributes: Attributes | None,
        links: list[Parent],
        started: int | None,
    ) -> None:
        self._keep = keep
        self.name = name
        self.kind = kind
        self.trace_id = parent.trace_id if parent else f"{getrandbits(128) or 1:032x}"
        self.span_id = f"{getrandbits(64) or 1:016x}"
        self.parent_id = parent.span_id if parent else ""
        self.attributes = dict(attributes) if attributes else {}
        self.links = links
        self.started = started or time.time_ns()
        self.ended = 0
        self.is_error = False

    @property
    def traceparent(self) -> str:
        return write(self.trace_id, self.span_id)

    @property
    def is_call(self) -> bool:
        """Of somebody outside: what is known of their answer belongs to it."""
        return self.kind == "client"

    def note(self, attributes: Attributes) -> None:
        self.attributes.update(attributes)

    def rename(self, name: str) -> None:
        self.name = name

    def fail(self, kind: str) -> None:
        """What it says is left to the log, which hides what is nobody's business."""
        self.attributes["error.type"] = kind
        self.is_error = True

    def link(self, traceparents: Iterable[str]) -> None:
        self.links += others(traceparents, self.traceparent)[: MOST_LINKS - len(self.links)]

    def end(self) -> None:
        if not self.ended:
            self.ended = time.time_ns()
            self._keep(self)


def others(traceparents: Iterable[str], besides: str | None) -> list[Parent]:
    """As many as a span may be linked to. What is in the same trace needs no link."""
    own = read(besides)
    found: dict[str, Parent] = {}
    for each in traceparents:
        parent = read(each)
        if parent is not None and (own is None or parent.trace_id != own.trace_id):
            found.setdefault(parent.trace_id, parent)
            if len(found) == MOST_LINKS:
                break
    return list(found.values())
