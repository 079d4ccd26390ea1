"""What people write, as providers tell it: a callback each, to one web process, worked on at the same time."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

import uvloop
from django.db import connection

import celery_app
from bench.figure import CannotMeasure, Figure, percentile
from bench.inbound import callback
from bench.layouts import EVENTS
from bench.load import Client
from bench.office import Office
from bench.stage import Stage
from bench.workers import Layout, running, web

WANTED_A_MINUTE = 10_000
# A little more than is wanted, so that a hiccup of the clock is not a failure.
OFFERED = 175
PEOPLE = 2_000
TEXT = "Boa tarde! Meu pedido já saiu?"
# A provider that waits longer for its answer calls again.
MOST_MS = 100.0
# In which what was answered has to be in its conversation.
SETTLED_SECONDS = 10.0


@dataclass
class Load:
    client: Client
    answered: int = 0
    failures: list[str] = field(default_factory=list)
    milliseconds: list[float] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=count)

    async def run(self, seconds: float) -> None:
        begins = asyncio.get_running_loop().time()
        under_way = []
        for n in range(int(seconds * OFFERED)):
            await asyncio.sleep(begins + n / OFFERED - asyncio.get_running_loop().time())
            under_way.append(asyncio.create_task(self._call(next(self._numbers))))
        await asyncio.gather(*under_way)

    async def _call(self, number: int) -> None:
        started = time.monotonic()
        answer = await self.client.send(callback(number % PEOPLE, number, TEXT))
        self.milliseconds.append((time.monotonic() - started) * 1000)
        if answer.status == 200:
            self.answered += 1
        else:
            self.failures.append(f"{answer.status}: {answer.body[:200]!r}")


def measure(stage: Stage, office: Office) -> list[Figure]:
    office.clear()
    seconds = stage.choose(60.0, 15.0)
    with (
        web(stage, "project.asgi:application") as port,
        running(stage, celery_app.app, "celery_app", Layout("webhooks", [EVENTS])),
    ):
        client = Client(port)
        load = Load(client)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            started = time.monotonic()
            runner.run(load.run(seconds))
            took = time.monotonic() - started
            client.close()
        if load.failures:
            raise CannotMeasure(f"{len(load.failures)} callbacks failed, the first with {load.failures[0]}")
        settled = _seconds_until(load.answered)
    a_minute = load.answered / took * 60
    p99 = percentile(load.milliseconds, 99)
    half = percentile(load.milliseconds, 50)
    return [
        Figure(
            "callbacks a minute, one web process",
            a_minute,
            f"{a_minute:,.0f}/min",
            f"{OFFERED * 60:,}/min offered",
            least=WANTED_A_MINUTE,
            note=(
                f"each a message of one of {PEOPLE:,} people, signed, stored and put into its conversation; all "
                f"of them there {settled:.1f} s after the last"
            ),
        ),
        Figure(
            "callback → answer, p99",
            p99,
            f"{p99:.0f} ms",
            f"p50 {half:.1f} ms",
            most=MOST_MS,
            note="while the same machine works on them and makes the load",
        ),
    ]


def _seconds_until(expected: int) -> float:
    """Until every message is in its conversation, once and in order."""
    started = time.monotonic()
    while (there := _count()) < expected:
        if time.monotonic() - started > SETTLED_SECONDS:
            raise CannotMeasure(f"{expected - there:,} of {expected:,} are in no conversation")
        time.sleep(0.1)
    return time.monotonic() - started


def _count() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM message WHERE direction = 'inbound'")
        (there,) = cursor.fetchone()
    return int(there)
