"""Bring those who are behind up to those who are live.

All of them ride together, through one reading of the stream: a thousand clients that come back at once cost little
more than one. Whose line is full gets off, and takes the next ride once there is room.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog
from redis.exceptions import RedisError

from apps.core import clock
from apps.realtime.event import Event
from apps.realtime.line import Line
from apps.realtime.offset import Offset, Position
from apps.realtime.source import Batch, Page, Source
from apps.realtime.stream import KEPT_SECONDS
from apps.realtime.topic import WHOLE, Topic

if TYPE_CHECKING:
    from apps.realtime.feed import Feed

# What is so old may have gone with its stream, even where the stream that came after holds all that it ever had.
_OLDEST_SECONDS = KEPT_SECONDS - 60
_RETRY_SECONDS = 0.5
# The stream, or another process, may be a moment ahead.
_MOMENT_SECONDS = 0.02

logger = structlog.get_logger(__name__)


@dataclass(eq=False, slots=True)
class Passenger:
    """A subscription that has had everything up to its position."""

    line: Line
    topic: Topic
    position: Position
    # Whether the client still waits to hear if it can be brought up.
    asks: bool = False


class CatchingUp:
    def __init__(self, feed: "Feed", source: Source) -> None:
        self._feed = feed
        self._source = source
        self.passengers: dict[Line, dict[Topic, Passenger]] = {}
        self._stirred = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def add(self, passenger: Passenger) -> None:
        self.passengers.setdefault(passenger.line, {})[passenger.topic] = passenger
        passenger.line.on_room = self._stirred.set
        self._stirred.set()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._bring_all_up())

    def remove(self, line: Line, topic: Topic) -> None:
        topics = self.passengers.get(line)
        if topics is None:
            return
        topics.pop(topic, None)
        if not topics:
            del self.passengers[line]

    def all(self) -> list[Passenger]:
        return [passenger for topics in self.passengers.values() for passenger in topics.values()]

    def close(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _bring_all_up(self) -> None:
        while self.passengers:
            self._stirred.clear()
            riders = [passenger for passenger in self.all() if passenger.line.has_room]
            if not riders:
                await self._stirred.wait()
                continue
            try:
                await self._ride(_Ride(riders))
            except RedisError as error:
                logger.warning("stream_not_read", reason=type(error).__name__)
                await asyncio.sleep(_RETRY_SECONDS)

    async def _ride(self, ride: "_Ride") -> None:
        feed = self._feed
        while ride.keep(self._is_still_here):
            page = await self._source.page(feed.organization_id, ride.position)
            if page.epoch != feed.epoch:
                feed.begin_again(page.epoch, page.end)
                return
            ride.keep(self._is_still_here)
            ride.keep(lambda passenger: self._can_be_brought_up(passenger, page))  # noqa: B023 - asked at once
            for batch in page.batches:
                if Position.behind(batch.entry_id) > feed.end:
                    await self._arrive(ride)
                    return
                ride.hand_over(batch, feed.epoch)
            if page.is_last:
                if page.end >= feed.end:
                    await self._arrive(ride)
                    return
                await asyncio.sleep(_MOMENT_SECONDS)

    def _is_still_here(self, passenger: Passenger) -> bool:
        return self.passengers.get(passenger.line, {}).get(passenger.topic) is passenger

    def _can_be_brought_up(self, passenger: Passenger, page: Page) -> bool:
        at = passenger.position
        is_gone = page.begins is not None and at < page.begins
        # Of a stream that never held anything there was nothing to lose.
        is_old = 0 < at.milliseconds / 1000 < clock.now().timestamp() - _OLDEST_SECONDS
        if is_gone or is_old or at > max(page.end, self._feed.end):
            self._feed.give_up(passenger)
            return False
        if passenger.asks:
            passenger.asks = False
            self._feed.tell_subscribed(passenger.line, passenger.topic, at, recovered=True)
        return True

    async def _arrive(self, ride: "_Ride") -> None:
        """Nothing is waited for before they are live, so nothing comes between what they had and what follows."""
        ahead = False
        for passenger in ride.passengers:
            if passenger.position > self._feed.end:
                ahead = True  # it was further already, at another process, and waits for this one
                continue
            self._feed.leave(passenger.line, passenger.topic)
            self._feed.go_live(passenger.line, passenger.topic)
        if ahead:
            await asyncio.sleep(_MOMENT_SECONDS)


class _Ride:
    """From the position of whoever is furthest behind."""

    def __init__(self, passengers: Iterable[Passenger]) -> None:
        self.passengers = list(passengers)
        self.position = min(passenger.position for passenger in self.passengers)
        self._by_topic: dict[Topic, list[Passenger]] = {}
        self._sort()

    def keep(self, stays: Callable[[Passenger], bool]) -> bool:
        staying = [passenger for passenger in self.passengers if stays(passenger)]
        if len(staying) < len(self.passengers):
            self.passengers = staying
            self._sort()
        return bool(staying)

    def hand_over(self, batch: Batch, epoch: str) -> None:
        entry = Position.behind(batch.entry_id)
        for index, data in enumerate(batch.events):
            position = entry._replace(place=index)
            takers = [*self._by_topic.get(data["conversation_id"], ()), *self._by_topic.get(WHOLE, ())]
            lines = {taker.line for taker in takers if taker.position < position}
            if not lines:
                continue
            event = Event(Offset(position, epoch), data)
            full = {line for line in lines if not line.put(event)}
            if full:
                self._put_off(full, entry._replace(place=index - 1))
            for taker in takers:
                if taker.line not in full:
                    taker.position = max(taker.position, position)
        for passenger in self.passengers:
            passenger.position = max(passenger.position, entry)
        self.position = max(self.position, entry)

    def _put_off(self, lines: set[Line], position: Position) -> None:
        for passenger in self.passengers:
            if passenger.line in lines:
                passenger.position = max(passenger.position, position)
        self.keep(lambda passenger: passenger.line not in lines)

    def _sort(self) -> None:
        self._by_topic.clear()
        for passenger in self.passengers:
            self._by_topic.setdefault(passenger.topic, []).append(passenger)
