"""One organization's events, handed to the lines of whoever watches it in this process.

A subscription is either live, and gets every event as it comes, or it is being brought up to the others
(catching_up.py): because it resumes from an offset, or because its line had no room.
"""

from collections import defaultdict
from collections.abc import Set as AbstractSet
from uuid import UUID

from apps.realtime import traced
from apps.realtime.catching_up import CatchingUp, Passenger
from apps.realtime.event import Event, Notice
from apps.realtime.line import Line
from apps.realtime.offset import Offset, Position
from apps.realtime.source import Batch, Source
from apps.realtime.topic import WHOLE, Topic, named

_NOBODY: AbstractSet[Line] = frozenset()


class Feed:
    def __init__(self, organization_id: UUID, source: Source, epoch: str, end: Position) -> None:
        self.organization_id = organization_id
        self.epoch = epoch
        # Everything up to here was handed to those who are live.
        self.end = end
        self._live: defaultdict[Topic, set[Line]] = defaultdict(set)
        self._catching_up = CatchingUp(self, source)

    @property
    def is_watched(self) -> bool:
        return bool(self._live or self._catching_up.passengers)

    def join(self, line: Line, topic: Topic, since: Offset | None) -> None:
        """The answer goes down the line: for one that resumes, when it is known whether something is lost."""
        self.leave(line, topic)
        if since is None:
            self.tell_subscribed(line, topic, self.end, recovered=False)
            self.go_live(line, topic)
        elif since.epoch != self.epoch:
            self.give_up(Passenger(line, topic, since.position, asks=True))
        else:
            self._catching_up.add(Passenger(line, topic, since.position, asks=True))

    def leave(self, line: Line, topic: Topic) -> None:
        watching = self._live.get(topic)
        if watching is not None:
            watching.discard(line)
            if not watching:
                del self._live[topic]
        self._catching_up.remove(line, topic)

    def deliver(self, batch: Batch) -> None:
        """To everybody who is live. Batches come in the order of the stream."""
        entry = Position.behind(batch.entry_id)
        if entry <= self.end:
            return
        for index, data in enumerate(batch.events):
            everything = self._live.get(WHOLE, _NOBODY)
            conversation = self._live.get(data["conversation_id"], _NOBODY)
            lines = everything | conversation if everything and conversation else everything or conversation
            if lines:
                event = Event(Offset(entry._replace(place=index), self.epoch), data)
                if index in batch.traces:
                    traced.begin(event, batch.traces[index], len(lines))
                full = [line for line in lines if not line.put(event)]
                for line in full:
                    self._fall_behind(line)
            self.end = entry._replace(place=index)
        self.end = entry

    def begin_again(self, epoch: str, end: Position) -> None:
        """Redis has forgotten: nobody can know what they missed."""
        if epoch == self.epoch:
            return
        self.epoch, self.end = epoch, end
        for topic, lines in self._live.items():
            for line in lines:
                line.tell(self._gap(topic))
        for passenger in self._catching_up.all():
            self.give_up(passenger)

    def go_live(self, line: Line, topic: Topic) -> None:
        self._live[topic].add(line)

    def give_up(self, passenger: Passenger) -> None:
        """What this one missed cannot be had any more: it is told so, and goes on from here."""
        self.leave(passenger.line, passenger.topic)
        if passenger.asks:
            self.tell_subscribed(passenger.line, passenger.topic, self.end, recovered=False)
        passenger.line.tell(self._gap(passenger.topic))
        self.go_live(passenger.line, passenger.topic)

    def end_for(self, line: Line) -> Offset | None:
        """Up to where this line has been handed everything it subscribed to; None while it is being brought up."""
        return None if line in self._catching_up.passengers else Offset(self.end, self.epoch)

    def tell_subscribed(self, line: Line, topic: Topic, position: Position, *, recovered: bool) -> None:
        offset = str(Offset(position, self.epoch))
        line.tell(Notice({"type": "subscribed", **named(topic), "offset": offset, "recovered": recovered}))

    def close(self) -> None:
        self._catching_up.close()

    def _fall_behind(self, line: Line) -> None:
        for topic in [topic for topic, lines in self._live.items() if line in lines]:
            self.leave(line, topic)
            self._catching_up.add(Passenger(line, topic, self.end))

    def _gap(self, topic: Topic) -> Notice:
        return Notice({"type": "gap", **named(topic), "offset": str(Offset(self.end, self.epoch))})
