"""What waits to be written to one client: bounded, whatever the client does.

Events that find no room are not lost: the feed stops handing them over, and reads them from the stream once there
is room again. Only a client that takes nothing at all for a while is put out.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from itertools import islice

from apps.realtime.event import Event, Item, Notice

MOST_WAITING = 512
# What the client itself asked for may go beyond, by so much.
MOST_NOTICES = 2_048
AT_ONCE = 64
# A client that has taken nothing for so long, while something waits, is too slow.
STALLED_SECONDS = 10.0


class Ended(Exception):
    """The line was closed, with the code that a WebSocket closes with."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class TooSlow(Ended):
    """The client does not read."""


def unauthenticated(reason: str) -> Ended:
    return Ended(4401, reason)


class Line:
    def __init__(self) -> None:
        self._waiting: deque[Item] = deque()
        self._arrived = asyncio.Event()
        self._end: Ended | None = None
        self._moved_at = time.monotonic()
        # Told when there is room again for whoever found none.
        self.on_room: Callable[[], None] | None = None
        # Told when the line has ended: whoever writes may be stuck with a client that does not read.
        self.on_end: Callable[[Ended], None] | None = None

    @property
    def has_room(self) -> bool:
        return len(self._waiting) < MOST_WAITING // 2

    def put(self, event: Event) -> bool:
        """False when there is no room for it."""
        waiting = self._waiting
        if len(waiting) >= MOST_WAITING:
            return False
        if not waiting:
            self._moved_at = time.monotonic()
            self._arrived.set()
        waiting.append(event)
        return True

    def tell(self, notice: Notice) -> None:
        if len(self._waiting) >= MOST_WAITING + MOST_NOTICES:
            self.end(TooSlow(4408, "Answers are waiting, and nobody reads them."))
            return
        if not self._waiting:
            self._moved_at = time.monotonic()
        self._waiting.append(notice)
        self._arrived.set()

    async def take(self) -> list[Item]:
        """What waits, in order, some at a time; waits for the first."""
        while not self._waiting and self._end is None:
            self._arrived.clear()
            await self._arrived.wait()
        if self._end is not None:
            raise self._end
        taken = list(islice(self._waiting, AT_ONCE))
        had_room = self.has_room
        for _ in taken:
            self._waiting.popleft()
        self._moved_at = time.monotonic()
        if not had_room and self.has_room and self.on_room is not None:
            self.on_room()
        return taken

    def end(self, reason: Ended) -> None:
        """At once: what still waits is not written any more."""
        if self._end is None:
            self._end = reason
            self._arrived.set()
            if self.on_end is not None:
                self.on_end(reason)

    def is_stalled(self, now: float) -> bool:
        return bool(self._waiting) and now - self._moved_at > STALLED_SECONDS
