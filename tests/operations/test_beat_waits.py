"""A beat that lacks something waits for it: it ticks on, and writes nothing down as sent that was not."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from celery import Celery
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from apps.operations.beat import one_at_work, turn
from apps.operations.beat.one_at_work import LOOK_SECONDS, OneAtWork
from local.ports import HOST, free_port

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def due() -> PeriodicTask:
    every = IntervalSchedule.objects.create(every=1, period=IntervalSchedule.SECONDS)
    return PeriodicTask.objects.create(name="due", task="accounts.remove_expired", interval=every)


@pytest.fixture
def scheduler() -> Iterator[OneAtWork]:
    app = Celery("of this test", broker=f"redis://{HOST}:{free_port()}", set_as_current=False)
    scheduler = OneAtWork(app=app)
    yield scheduler
    scheduler.close()


def test_beat_without_a_broker_waits_and_sends_later(scheduler: OneAtWork, due: PeriodicTask) -> None:
    assert scheduler.tick() == LOOK_SECONDS
    assert scheduler.state == one_at_work.NO_BROKER
    due.refresh_from_db()
    assert (due.last_run_at, due.total_run_count) == (None, 0)


def test_beat_without_a_database_stands_by(
    scheduler: OneAtWork, due: PeriodicTask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> Any:
        raise psycopg.OperationalError("connection refused")

    with monkeypatch.context() as away:
        away.setattr(turn, "_connect", refuse)
        ticked_at = scheduler.ticked_at
        assert scheduler.tick() == LOOK_SECONDS
        assert scheduler.state == one_at_work.NO_DATABASE
        assert scheduler.ticked_at > ticked_at
    scheduler.tick()
    assert scheduler.state == one_at_work.NO_BROKER  # which is the next thing that it lacks
