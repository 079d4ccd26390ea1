"""Do the workers that dispatch grow with what they have sent?"""

import time

from django.db import connection

import celery_app
from bench.figure import CannotMeasure, Figure
from bench.layouts import OURS
from bench.office import Office
from bench.stage import Stage
from bench.workers import memory_of, running

AT_ONCE = 10_000
_MEGABYTE = 1024**2


def measure(stage: Stage, office: Office) -> list[Figure]:
    few, many = stage.choose((20_000, 200_000), (10_000, 40_000))
    office.clear()
    office.meet(AT_ONCE)
    layout = OURS[0]
    with running(stage, celery_app.app, "celery_app", layout) as processes:
        dispatchers = processes[:-1]
        _send(office, few)
        before = memory_of(dispatchers)
        _send(office, many - few)
        after = memory_of(dispatchers)
    return [
        Figure(
            f"worker memory after {many:,} vs {few:,}",
            after / before,
            f"{after / _MEGABYTE:.0f} MB",
            f"{before / _MEGABYTE:.0f} MB",
            most=1.1,
            note=f"of {len(dispatchers)} workers together",
        )
    ]


def _send(office: Office, count: int) -> None:
    for _ in range(count // AT_ONCE):
        office.queue(AT_ONCE)
        office.ring()
        deadline = time.monotonic() + 120
        while _is_waiting():
            if time.monotonic() > deadline:
                raise CannotMeasure("the messages were not sent in time")
            time.sleep(0.1)


def _is_waiting() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT 1 FROM delivery)")
        (is_waiting,) = cursor.fetchone()
    return bool(is_waiting)
