"""From the provider's answer to the frame in a client; against a bare Redis PUBLISH to the same client."""

import random
import time
from collections.abc import Callable
from contextlib import ExitStack
from itertools import cycle

import orjson

import celery_app
from apps.core.redis import redis_client
from apps.messaging.engine.accept import accept
from apps.messaging.engine.new_message import Accepted, NewMessage
from apps.messaging.models import Conversation
from bench.bare_broadcast import CHANNEL
from bench.figure import CannotMeasure, Figure, milliseconds, percentile
from bench.layouts import DISPATCH, EVENTS_ALONE
from bench.noting import NotingProvider, noting_provider
from bench.office import TEXT, Office
from bench.stage import Stage
from bench.watching import BARE_FRAMES, Viewer, address, bare, viewer, web, whole_organization
from bench.workers import Layout, running

PEOPLE = 200
USUAL_GAP = (0.02, 0.06)
LONG_GAP = (0.4, 0.5)
WARM_UP = 30
EVENTS_PER_SECOND = 500
# Accepted, at the provider, sent.
EVENTS_EACH = 3


def measure(stage: Stage, office: Office) -> list[Figure]:
    office.clear()
    office.meet(PEOPLE)
    with ExitStack() as now:
        provider = now.enter_context(noting_provider(stage))
        layout = Layout("ours", [DISPATCH, EVENTS_ALONE], {"WHATSAPP_CLOUD_URL": provider.url})
        now.enter_context(running(stage, celery_app.app, "celery_app", layout))
        ours = now.enter_context(viewer(address(now.enter_context(web(stage))), whole_organization(office)))
        theirs = now.enter_context(viewer(address(now.enter_context(bare(stage))), BARE_FRAMES))
        way = _Way(office, provider, ours, theirs)
        way.one_at_a_time(WARM_UP, USUAL_GAP)
        alone = way.one_at_a_time(stage.choose(300, 100), USUAL_GAP)
        rare = way.one_at_a_time(stage.choose(30, 10), LONG_GAP)
        busy = way.at_a_rate(stage.choose(20.0, 8.0))
        bare_alone = percentile(way.bare_alone(stage.choose(10.0, 4.0)), 99)
    return [
        _figure("one at a time", 50, alone, 4, f"a second apart p50 {_told(rare, 50)}; p99 {_told(alone, 99)}"),
        _figure(
            f"under {EVENTS_PER_SECOND} events/s",
            99,
            busy,
            10,
            f"p50 {_told(busy, 50)}; a bare PUBLISH with nothing else going on p99 {milliseconds(bare_alone)}",
        ),
    ]


type Waits = tuple[list[float], list[float]]


class _Way:
    """Ours and theirs in turns, over the same time."""

    def __init__(self, office: Office, provider: NotingProvider, ours: Viewer, theirs: Viewer) -> None:
        self._office, self._provider, self._ours, self._theirs = office, provider, ours, theirs
        people = Conversation.across_organizations.filter(account=office.account).order_by("id")
        self._addresses = cycle(people.values_list("address", flat=True))
        self._number = 0

    def one_at_a_time(self, count: int, gap: tuple[float, float]) -> Waits:
        self._forget()
        sent: list[str] = []
        starts: dict[str, float] = {}
        for _ in range(count):
            sent.append(self._accept())
            time.sleep(random.uniform(*gap))  # noqa: S311 - it keeps no secret
            starts |= self._publish()
            time.sleep(random.uniform(*gap))  # noqa: S311
        return self._waits(sent, starts)

    def at_a_rate(self, seconds: float) -> Waits:
        """A bare one for each of ours, halfway to the next: whatever the machine is busy with, both meet it."""
        self._forget()
        sent: list[str] = []
        starts: dict[str, float] = {}
        turns = cycle((True, False))

        def take_turns() -> None:
            if next(turns):
                sent.append(self._accept())
            else:
                starts.update(self._publish())

        _evenly(seconds, 2 * EVENTS_PER_SECOND / EVENTS_EACH, take_turns)
        return self._waits(sent, starts)

    def bare_alone(self, seconds: float) -> list[float]:
        """As many bare messages as there were events, and nothing else going on."""
        self._forget()
        starts: dict[str, float] = {}
        _evenly(seconds, EVENTS_PER_SECOND, lambda: starts.update(self._publish()))
        return self._waits([], starts)[1]

    def _accept(self) -> str:
        wanted = NewMessage(TEXT, account_id=self._office.account.id, to=next(self._addresses))
        (answer,) = accept(self._office.organization, [wanted])
        assert isinstance(answer, Accepted)
        return str(answer.id)

    def _publish(self) -> dict[str, float]:
        self._number += 1
        name = f"n{self._number}"
        frame = _LIKE_OURS | {"message_id": name}
        started = time.monotonic()
        redis_client().publish(CHANNEL, orjson.dumps(frame))
        return {name: started}

    def _forget(self) -> None:
        for each in (self._ours, self._theirs):
            each.seen()
        self._provider.arrivals()

    def _waits(self, sent: list[str], starts: dict[str, float]) -> Waits:
        time.sleep(1)
        answered = dict(self._provider.arrivals())
        ours = _moments(self._ours)
        theirs = _moments(self._theirs)
        missing = sum(each not in ours for each in sent) + sum(each not in theirs for each in starts)
        if missing:
            raise CannotMeasure(f"{missing} frames did not come")
        return (
            [ours[each] - answered[each] for each in sent],
            [theirs[each] - started for each, started in starts.items()],
        )


# As long as one of ours.
_LIKE_OURS = {
    "type": "status", "event_id": 1_000_000, "message_id": "", "conversation_id": "0" * 36,
    "organization_id": "0" * 36, "kind": "sent", "status": "sent", "attempt": 1,
    "at": "2026-01-01T12:00:00.123456+00:00", "offset": "1760000000000-0-0-0a1b2c3d",
}  # fmt: skip


def _moments(of_viewer: Viewer) -> dict[str, float]:
    """When each message was seen to be sent."""
    frames = [(orjson.loads(frame), moment) for frame, moment in of_viewer.seen()]
    return {frame["message_id"]: moment for frame, moment in frames if frame.get("status") == "sent"}


def _evenly(seconds: float, per_second: float, act: Callable[[], None]) -> None:
    started = time.monotonic()
    for n in range(round(seconds * per_second)):
        wait = started + n / per_second - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        act()


def _figure(how: str, percent: int, waits: Waits, most: float, note: str) -> Figure:
    ours, theirs = (percentile(each, percent) for each in waits)
    return Figure(
        f"provider's answer to frame, {how}, p{percent}, vs a bare PUBLISH",
        ours / theirs,
        milliseconds(ours),
        milliseconds(theirs),
        most=most,
        note=note,
    )


def _told(waits: Waits, percent: int) -> str:
    ours, theirs = (milliseconds(percentile(each, percent)) for each in waits)
    return f"{ours} against {theirs}"
