"""People register: from what they write, as the provider calls us with it, to the answer at the provider."""

import asyncio
import time
from contextlib import ExitStack
from statistics import median

import uvloop
from django.db import connection

import celery_app
from apps.accounts.principal import Principal
from apps.registration import flows
from bench.figure import CannotMeasure, Figure, milliseconds, percentile
from bench.inbound import callback
from bench.layouts import DISPATCH, EVENTS_ALONE
from bench.load import Client
from bench.noting import NotingProvider, noting_provider
from bench.office import Office
from bench.stage import Stage
from bench.workers import Layout, running, web

REGISTRATION = "--pool solo --queues registration"
LINES = ("quero me cadastrar", "sim", "Ana Maria Lima", "ana.lima@exemplo.com.br", "sim")
DEFINITION = {
    "languages": ["pt-BR"],
    "questions": [{"kind": "name"}, {"kind": "email"}],
    "texts": {"pt-BR": {"consent": "Guardamos os seus dados só para o cadastro."}},
}
GAP_SECONDS = 0.1
PATIENCE_SECONDS = 60.0
AGAIN_SECONDS = 0.5


def measure(stage: Stage, office: Office) -> list[Figure]:
    office.clear()
    _flow(office)
    one_by_one, at_once = stage.choose((40, 1_000), (5, 100))
    with ExitStack() as stack:
        provider = stack.enter_context(noting_provider(stage))
        port = stack.enter_context(web(stage, "project.asgi:application"))
        layout = Layout(
            "registration", [DISPATCH, EVENTS_ALONE, REGISTRATION], {"WHATSAPP_CLOUD_URL": provider.url}
        )
        stack.enter_context(running(stage, celery_app.app, "celery_app", layout))
        runner = stack.enter_context(asyncio.Runner(loop_factory=uvloop.new_event_loop))
        client = Client(port)
        stack.callback(client.close)
        waits = runner.run(_one_by_one(client, provider, one_by_one))
        rounds = runner.run(_at_once(client, provider, one_by_one, at_once))
    confirmed = _confirmed()
    people = one_by_one + at_once
    if confirmed != people:
        raise CannotMeasure(f"{confirmed} of {people} registrations were confirmed")
    return [
        Figure(
            "what a person writes → answer at the provider, p99, s",
            percentile(waits, 99),
            milliseconds(percentile(waits, 99)),
            f"p50 {milliseconds(median(waits))}",
            most=1,
            note=f"{len(waits)} messages, one after another, understood by rules; workers and load on 2 cores",
        ),
        Figure(
            f"{at_once:,} people at once: all are answered, s",
            max(rounds),
            f"{max(rounds):.1f} s",
            ", ".join(f"{seconds:.1f}" for seconds in rounds),
            most=30,
            note=f"{len(LINES)} lines each, the next as soon as all have their answer; all {at_once:,} confirmed",
        ),
    ]


def _flow(office: Office) -> None:
    principal = Principal.of_system(office.organization)
    flow = flows.add(principal, name="Bench", accounts=[office.account.id])
    flows.publish(principal, flow, DEFINITION)
    flows.go_live(principal, flow)


async def _one_by_one(client: Client, provider: NotingProvider, people: int) -> list[float]:
    waits = []
    for person in range(people):
        for n, line in enumerate(LINES):
            started = time.monotonic()
            await _call(client, person, person * len(LINES) + n, line)
            (arrived,) = await _arrivals(provider, 1)
            waits.append(arrived - started)
            await asyncio.sleep(GAP_SECONDS)
    return waits


async def _at_once(client: Client, provider: NotingProvider, first: int, people: int) -> list[float]:
    rounds = []
    for n, line in enumerate(LINES):
        started = time.monotonic()
        await asyncio.gather(
            *(_call(client, first + each, (first + each) * len(LINES) + n, line) for each in range(people))
        )
        rounds.append(max(await _arrivals(provider, people)) - started)
    return rounds


async def _call(client: Client, person: int, number: int, line: str) -> None:
    """A provider that is told to come again does."""
    body = callback(person, number, line)
    for _ in range(int(PATIENCE_SECONDS / AGAIN_SECONDS)):
        answer = await client.send(body)
        if answer.status == 200:
            return
        if answer.status != 503:
            raise CannotMeasure(f"a callback was answered {answer.status}")
        await asyncio.sleep(AGAIN_SECONDS)
    raise CannotMeasure("a callback was not taken for a minute")


async def _arrivals(provider: NotingProvider, wanted: int) -> list[float]:
    moments: list[float] = []
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(moments) < wanted:
        if time.monotonic() > deadline:
            raise CannotMeasure(f"{len(moments)} of {wanted} answers came")
        await asyncio.sleep(0.01 if wanted == 1 else 0.1)
        moments += [moment for _message, moment in await asyncio.to_thread(provider.arrivals)]
    return moments


def _confirmed() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM registration WHERE state = 'completed'")
        (count,) = cursor.fetchone()
    return int(count)
