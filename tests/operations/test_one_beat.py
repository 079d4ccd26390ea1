"""Two beats, and each periodic task is sent once: while both live, and when a connection or a beat dies."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import orjson
import psycopg
import pytest
from django.db import connection
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from apps.core import clock
from apps.core.redis import redis_client
from apps.operations.beat.one_at_work import AT_WORK, STANDING_BY
from apps.operations.beat.turn import Turn
from tests.operations.processes import Celery

pytestmark = pytest.mark.django_db(transaction=True)

EVERY_SECONDS = 2
TAKES_OVER_WITHIN_SECONDS = 15
NAME = "of this test"


@pytest.fixture
def ticking() -> PeriodicTask:
    every = IntervalSchedule.objects.create(every=EVERY_SECONDS, period=IntervalSchedule.SECONDS)
    return PeriodicTask.objects.create(
        name=NAME, task="accounts.remove_expired", interval=every, queue="maintenance", expire_seconds=600
    )


@pytest.fixture
def beats(ticking: PeriodicTask, tmp_path: Path) -> Iterator[list[Celery]]:
    beats = [Celery(f"beat-{n}", tmp_path, "beat", "--pidfile=") for n in range(2)]
    with ExitStack() as running:
        for beat in beats:
            running.callback(beat.stop)
            beat.start()
        for beat in beats:
            beat.wait_until(lambda beat=beat: beat.health()[0] == 200, 120)  # type: ignore[misc]
        yield beats


def _sent_at() -> list[datetime]:
    """When each was, in order: each says when it is not worth doing any more, which is ten minutes later."""
    messages = [orjson.loads(message)["headers"] for message in redis_client().lrange("maintenance", 0, -1)]
    ours = [headers for headers in messages if headers.get("periodic_task_name") == NAME]
    return [datetime.fromisoformat(headers["expires"]) for headers in reversed(ours)]


def _by_state(beats: list[Celery]) -> tuple[Celery, Celery]:
    """Who works, and who stands by, once both know it."""
    beats[0].wait_until(lambda: {beat.health()[1] for beat in beats} == {AT_WORK, STANDING_BY}, 60)
    states = {beat.health()[1]: beat for beat in beats}
    return states[AT_WORK], states[STANDING_BY]


def _wait_for_more(beat: Celery, count: int) -> None:
    enough = len(_sent_at()) + count
    beat.wait_until(lambda: len(_sent_at()) >= enough, TAKES_OVER_WITHIN_SECONDS + count * EVERY_SECONDS)


def _gaps() -> list[float]:
    return [(later - earlier).total_seconds() for earlier, later in pairwise(_sent_at())]


def test_each_task_is_sent_once_whoever_dies(beats: list[Celery], ticking: PeriodicTask) -> None:
    at_work, standing_by = _by_state(beats)
    _wait_for_more(standing_by, 2)

    # One of them takes the turn that both of them lost.
    _break_connections()
    _wait_for_more(standing_by, 2)
    at_work, standing_by = _by_state(beats)

    at_work.kill()
    killed = time.monotonic()
    standing_by.wait_until(lambda: standing_by.health() == (200, AT_WORK), TAKES_OVER_WITHIN_SECONDS)
    assert time.monotonic() - killed < TAKES_OVER_WITHIN_SECONDS
    _wait_for_more(standing_by, 2)
    # Half a second for a machine that is busy.
    assert min(_gaps()) > EVERY_SECONDS - 0.5, _gaps()
    assert max(_gaps()) < TAKES_OVER_WITHIN_SECONDS, _gaps()

    standing_by.signal_stop()
    assert standing_by.wait_until_ended(20) == 0
    ticking.refresh_from_db()
    assert ticking.total_run_count - len(_sent_at()) in {0, 1}  # one may have been killed between the two


def _break_connections() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'recado-beat'"
        )


def _take_within(turn: Turn, seconds: float) -> None:
    """PostgreSQL lets go of a lock a moment after it has said good-bye."""
    ends = time.monotonic() + seconds
    while not turn.take():
        assert time.monotonic() < ends
        time.sleep(0.02)


def test_only_one_has_the_turn_and_whoever_lost_it_writes_nothing(ticking: PeriodicTask) -> None:
    first, second = Turn(), Turn()
    try:
        assert first.take()
        assert not second.take()
        first.write_down(ticking.pk, clock.now(), 1)
        with pytest.raises(psycopg.Error):
            second.write_down(ticking.pk, clock.now(), 2)

        _break_connections()
        with pytest.raises(psycopg.Error):
            first.write_down(ticking.pk, clock.now(), 2)
        with pytest.raises(psycopg.Error):
            second.take()
        _take_within(second, 10)
        with pytest.raises(psycopg.Error):
            first.check()
        assert not first.take()

        second.give_up()
        _take_within(first, 10)
    finally:
        first.give_up()
        second.give_up()
    ticking.refresh_from_db()
    assert ticking.total_run_count == 1
