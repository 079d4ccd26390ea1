"""From accepting one message, with nothing else to do, to the call of the provider; against (a)."""

import random
import time
from contextlib import ExitStack
from itertools import cycle
from statistics import median
from typing import Any

import celery_app
from apps.messaging.engine.accept import accept
from apps.messaging.engine.new_message import Accepted, NewMessage
from apps.messaging.models import Conversation
from bench import one_task_each
from bench.figure import CannotMeasure, Figure, milliseconds, percentile
from bench.layouts import DISPATCH, EVENTS_ALONE
from bench.noting import noting_provider
from bench.office import TEXT, Office
from bench.stage import Stage
from bench.workers import Layout, running

PEOPLE = 100
USUAL_GAP = (0.02, 0.06)
# After which no drain lingers any more: the whole way by Celery, told in the note.
LONG_GAP = (0.4, 0.5)
WARM_UP = 20


def measure(stage: Stage, office: Office) -> list[Figure]:
    office.clear()
    office.meet(PEOPLE)
    count = stage.choose(300, 100)
    with ExitStack() as running_now:
        provider = running_now.enter_context(noting_provider(stage))
        ours = Layout("ours", [DISPATCH, EVENTS_ALONE], {"WHATSAPP_CLOUD_URL": provider.url})
        theirs = Layout("theirs", ["--pool solo"], {"WHATSAPP_CLOUD_URL": provider.url, "PREFETCH": "1"})
        running_now.enter_context(running(stage, celery_app.app, "celery_app", ours))
        running_now.enter_context(running(stage, one_task_each.app, "bench.one_task_each", theirs))
        _send(office, WARM_UP, USUAL_GAP)
        provider.arrivals()
        our_starts, their_starts = _send(office, count, USUAL_GAP)
        our_rare, their_rare = _send(office, stage.choose(30, 10), LONG_GAP)
        time.sleep(1)
        arrived = dict(provider.arrivals())
    our_times = _waits(our_starts, arrived)
    their_times = _waits(their_starts, arrived)
    rare = [milliseconds(median(_waits(starts, arrived))) for starts in (our_rare, their_rare)]
    return [
        Figure(
            f"accept to provider, one message at rest, p{percent}, vs (a)",
            percentile(our_times, percent) / percentile(their_times, percent),
            milliseconds(percentile(our_times, percent)),
            milliseconds(percentile(their_times, percent)),
            most=most,
            note=(
                f"{count} messages each, one after another and in turns, up to a tenth of a second apart; "
                f"a second apart p50 {rare[0]} against {rare[1]}"
                if percent == 50
                else ""
            ),
        )
        for percent, most in ((50, 1.0), (99, 1.5))
    ]


type Starts = dict[str, float]


def _send(office: Office, count: int, gap: tuple[float, float]) -> tuple[Starts, Starts]:
    """One of ours, then one of theirs. When each was begun, by its id."""
    our_starts: Starts = {}
    their_starts: Starts = {}
    people = cycle(Conversation.across_organizations.filter(account=office.account).order_by("id"))
    for _ in range(count):
        for send, starts in ((_ours, our_starts), (_theirs, their_starts)):
            person = next(people)
            started = time.monotonic()
            starts[send(office, person)] = started
            time.sleep(random.uniform(*gap))  # noqa: S311 - it keeps no secret
    return our_starts, their_starts


def _ours(office: Office, person: Conversation) -> str:
    (answer,) = accept(office.organization, [NewMessage(TEXT, account_id=office.account.id, to=person.address)])
    assert isinstance(answer, Accepted)
    return str(answer.id)


def _theirs(office: Office, person: Any) -> str:
    return one_task_each.accept(office.organization.id, office.account.id, person.id, TEXT)


def _waits(starts: Starts, arrived: dict[str, float]) -> list[float]:
    missing = len(starts.keys() - arrived.keys())
    if missing:
        raise CannotMeasure(f"{missing} of {len(starts)} messages did not arrive")
    return [arrived[message_id] - started for message_id, started in starts.items()]
