"""A web process dies with thousands of sockets on it, and another takes its place while events go on."""

import time
from collections import defaultdict
from collections.abc import Sequence
from itertools import cycle
from uuid import UUID

from apps.core.redis import redis_client
from apps.messaging.models import Conversation
from bench.figure import CannotMeasure, Figure
from bench.office import Office
from bench.stage import Stage
from bench.watching import Tape, crowd, first_frames, port_of, token_of, web
from local.processes import Process

SOCKETS = 2_000
CONVERSATIONS = 200
MOST_SECONDS = 30.0
# A quarter of the conversations so often: 500 events a second.
_EVERY_SECONDS = 0.1
_TURNS = 4


def measure(stage: Stage, office: Office) -> list[Figure]:
    office.clear()
    office.meet(CONVERSATIONS)
    redis_client().flushdb()
    sockets = stage.choose(SOCKETS, 500)
    conversations = list(Conversation.across_organizations.values_list("id", flat=True))
    watched = [conversations[n % CONVERSATIONS] for n in range(sockets)]
    token = token_of(office)
    with web(stage) as server:
        clients = [first_frames(token, each) for each in watched]
        with crowd(port_of(server), clients, comes_back=True) as watching:
            tape = Tape(office)
            turns = cycle(conversations[n::_TURNS] for n in range(_TURNS))
            played = _Played()
            played.note(conversations, tape.play(conversations))
            cut_at = _cut(server)
            while watching.count()["in"] < sockets:
                some = next(turns)
                played.note(some, tape.play(some))
                if time.monotonic() - cut_at > 2 * MOST_SECONDS:
                    raise CannotMeasure(f"only {watching.count()['in']:,} of {sockets:,} came back")
                time.sleep(_EVERY_SECONDS)
            watching.wait_for_frames(sum(len(played.ids[each]) for each in watched), MOST_SECONDS)
            told = watching.told()
    wrong = sum(each["seen"] != played.ids[conversation] for each, conversation in zip(told, watched, strict=True))
    seconds = max(each["back_at"] for each in told) - cut_at
    return [
        Figure(
            f"all of {sockets:,} sockets that were cut at once are back, s",
            seconds,
            f"{seconds:.1f} s",
            "",
            most=MOST_SECONDS,
            note=f"the web process is killed and started again; {played.count / seconds:,.0f} events/s meanwhile",
        ),
        Figure(
            "of them, with a gap, or an event missed or doubled",
            wrong + sum(each["gaps"] for each in told),
            f"{wrong:,}",
            "",
            most=0,
        ),
    ]


def _cut(server: Process) -> float:
    server.kill()
    cut_at = time.monotonic()
    server.start()
    return cut_at


class _Played:
    """The ids of each conversation's events."""

    def __init__(self) -> None:
        self.ids: dict[UUID, list[int]] = defaultdict(list)
        self.count = 0

    def note(self, conversations: Sequence[UUID], ids: Sequence[int]) -> None:
        self.count += len(ids)
        for conversation, event_id in zip(conversations, ids, strict=True):
            self.ids[conversation].append(event_id)
