"""Puts off what is due later, and hands over together what falls due within the same few milliseconds."""

import asyncio
from collections.abc import Callable
from heapq import heappop, heappush


class Schedule[Item]:
    """Time is cut into slots as long as a group is collected for. A timer for each slot, not for each item: at
    thousands of statuses a second the timers would cost more than the rest.

    An item leaves at the end of its slot, so never before it is due; those of one slot leave in the order in
    which they were added, and never with those of another, however late the loop is.
    """

    def __init__(self, group_seconds: float, release: Callable[[list[Item]], None]) -> None:
        self._group_seconds = group_seconds
        self._release = release
        self._slots: dict[int, list[Item]] = {}
        self._order: list[int] = []
        self._timer: asyncio.TimerHandle | None = None

    def add(self, due: float, item: Item) -> None:
        """`due` is on the event loop's clock."""
        slot = int(due / self._group_seconds) + 1
        items = self._slots.get(slot)
        if items is not None:
            items.append(item)
            return
        self._slots[slot] = [item]
        heappush(self._order, slot)
        if self._order[0] == slot:
            self._set_timer(asyncio.get_running_loop())

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _set_timer(self, loop: asyncio.AbstractEventLoop) -> None:
        self.stop()
        self._timer = loop.call_at(self._order[0] * self._group_seconds, self._release_due, loop)

    def _release_due(self, loop: asyncio.AbstractEventLoop) -> None:
        # The loop may call a timer a clock's tick early; the slot it was set for is due by definition.
        current = max(int(loop.time() / self._group_seconds), self._order[0])
        while self._order and self._order[0] <= current:
            self._release(self._slots.pop(heappop(self._order)))
        if self._order:
            self._set_timer(loop)
