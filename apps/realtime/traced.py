"""The last span of a message's trace: an event on its way to those who follow it here.

One for each event and process, however many clients get it: it ends when the first of them has it.
"""

from collections.abc import Iterable

from apps.core import tracing
from apps.realtime.event import Event, Item


def begin(event: Event, trace: str, lines: int) -> None:
    if tracing.is_on():
        about = {
            "recado.message_id": event.data["message_id"],
            "recado.status": event.data["status"],
            "recado.clients": lines,
        }
        event.span = tracing.start("frame", about, parent=trace, kind="producer")


def sent(items: Iterable[Item]) -> None:
    """To one of them."""
    if tracing.is_on():
        for item in items:
            if isinstance(item, Event) and item.span is not None:
                item.span.end()
                item.span = None
