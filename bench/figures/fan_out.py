"""One event to many sockets, as fast as one process can; against `websockets` with the same frames."""

import time

import orjson

from apps.core.redis import redis_client
from apps.messaging.models import Conversation
from bench.bare_broadcast import CHANNEL
from bench.figure import CannotMeasure, Figure, rate
from bench.office import Office
from bench.stage import Stage
from bench.watching import BARE_FRAMES, Tape, bare, crowd, first_frames, port_of, token_of, web

SOCKETS = 400
LONGEST_SECONDS = 120.0
EVENTS_AN_ENTRY = 50


def measure(stage: Stage, office: Office) -> list[Figure]:
    office.clear()
    office.meet(1)
    events = stage.choose(1000, 200)
    rounds = stage.choose(3, 1)
    ours, theirs = [], []
    for _ in range(rounds):
        ours.append(_ours(stage, office, events))
        theirs.append(_theirs(stage, office, events))
    best = max(ours), max(theirs)
    return [
        Figure(
            "events fanned out by one web process, vs a bare broadcast",
            best[0] / best[1],
            rate(best[0]),
            rate(best[1]),
            least=0.25,
            note=f"{events:,} events to {SOCKETS} sockets that watch the organization, the best of {rounds}",
        )
    ]


def _ours(stage: Stage, office: Office, events: int) -> float:
    """Frames a second."""
    redis_client().flushdb()
    conversation_id = Conversation.across_organizations.values_list("id", flat=True).get()
    clients = [first_frames(token_of(office))] * SOCKETS
    with web(stage) as server, crowd(port_of(server), clients) as watching:
        tape = Tape(office)
        started = time.monotonic()
        for _ in range(events // EVENTS_AN_ENTRY):
            tape.play([conversation_id] * EVENTS_AN_ENTRY)
        return _rate(watching.wait_for_frames(events * SOCKETS, LONGEST_SECONDS), events, started)


def _theirs(stage: Stage, office: Office, events: int) -> float:
    frame = {
        "type": "status", "event_id": 1, "message_id": "0" * 36, "conversation_id": "0" * 36,
        "organization_id": str(office.organization.id), "kind": "sent", "status": "sent", "attempt": 1,
        "at": "2026-01-01T12:00:00.123456+00:00", "offset": "1760000000000-0-0-0a1b2c3d",
    }  # fmt: skip
    with bare(stage) as server, crowd(port_of(server), [BARE_FRAMES] * SOCKETS) as watching:
        started = time.monotonic()
        for n in range(events):
            redis_client().publish(CHANNEL, orjson.dumps(frame | {"event_id": n}))
        return _rate(watching.wait_for_frames(events * SOCKETS, LONGEST_SECONDS), events, started)


def _rate(seen: int, events: int, started: float) -> float:
    if seen < events * SOCKETS:
        raise CannotMeasure(f"only {seen:,} of {events * SOCKETS:,} frames came")
    return seen / (time.monotonic() - started)
