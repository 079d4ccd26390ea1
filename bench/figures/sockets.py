"""Thousands of sockets on one web process, all of which receive; and what each costs."""

import random
import time
from collections import defaultdict
from uuid import UUID

from apps.core.redis import redis_client
from apps.messaging.models import Conversation
from bench.figure import Figure
from bench.office import Office
from bench.stage import Stage
from bench.watching import Tape, crowd, first_frames, port_of, token_of, web
from bench.workers import memory_of

CONVERSATIONS = 500
EVENTS_PER_SECOND = 300
AT_ONCE = 10
LONGEST_SECONDS = 60.0


def measure(stage: Stage, office: Office) -> list[Figure]:
    office.clear()
    office.meet(CONVERSATIONS)
    redis_client().flushdb()
    sockets = stage.choose(5_000, 1_000)
    conversations = list(Conversation.across_organizations.values_list("id", flat=True).order_by("id"))
    watched = [conversations[n % CONVERSATIONS] for n in range(sockets)]
    token = token_of(office)
    with web(stage) as server:
        # One that all of its machinery is made for.
        with crowd(port_of(server), [first_frames(token, conversations[0])]):
            before = memory_of([server])
        with crowd(port_of(server), [first_frames(token, each) for each in watched]) as watching:
            idle = memory_of([server])
            played = _play(Tape(office), conversations, stage.choose(30.0, 5.0))
            expected = sum(len(played[each]) for each in watched)
            watching.wait_for_frames(expected, LONGEST_SECONDS)
            busy = memory_of([server])
            told = watching.told()
    wrong = sum(each["seen"] != played[conversation] for each, conversation in zip(told, watched, strict=True))
    held = sum(each["is_in"] for each in told)
    each_kb = (max(idle, busy) - before) / sockets / 1024
    return [
        Figure(
            "sockets held on one web process, subscribed and receiving",
            held,
            f"{held:,}",
            "",
            least=sockets,
            note=f"{expected:,} frames in {stage.choose(30, 5)} s",
        ),
        Figure("of them, with an event missed, doubled or out of order", wrong, f"{wrong:,}", "", most=0),
        Figure("memory of each socket, kB", each_kb, f"{each_kb:.0f} kB", "", most=100),
    ]


def _play(tape: Tape, conversations: list[UUID], seconds: float) -> dict[UUID, list[int]]:
    """Evenly, to conversations picked by chance. The ids of each one's events."""
    chance = random.Random(7)  # noqa: S311 - so that a run can be repeated
    played: dict[UUID, list[int]] = defaultdict(list)
    started = time.monotonic()
    for n in range(round(seconds * EVENTS_PER_SECOND / AT_ONCE)):
        wait = started + n * AT_ONCE / EVENTS_PER_SECOND - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        picked = chance.choices(conversations, k=AT_ONCE)
        for conversation, event_id in zip(picked, tape.play(picked), strict=True):
            played[conversation].append(event_id)
    return played
