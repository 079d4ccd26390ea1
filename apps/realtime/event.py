"""What goes down a line to a client: events of the stream, and words about the line itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import orjson

from apps.core.tracing import Span
from apps.realtime.offset import Offset


class Event:
    """Something that happened. Written as a frame once, however many clients get it."""

    # Of its being handed to whoever follows, until the first of them has it.
    span: Span | None = None

    def __init__(self, offset: Offset, data: dict[str, Any]) -> None:
        self._offset = offset
        self._data = data

    @cached_property
    def offset(self) -> str:
        return str(self._offset)

    @cached_property
    def data(self) -> dict[str, Any]:
        return self._data | {"offset": self.offset}

    @cached_property
    def frame(self) -> str:
        return orjson.dumps(self.data).decode()


@dataclass(frozen=True, slots=True)
class Notice:
    """An answer, or news about a subscription."""

    data: Mapping[str, Any]

    @property
    def frame(self) -> str:
        return orjson.dumps(self.data).decode()


type Item = Event | Notice
