"""One task is enough, and no ring is lost."""

import pytest

from apps.core.redis import redis_client
from apps.messaging.engine.doorbell import Bell, Doorbells

BELL, OTHER = Bell("drain:x:1"), Bell("drain:x:1", slot=1)


@pytest.fixture
def doorbells() -> Doorbells:
    return Doorbells(redis_client())


def test_second_ring_starts_nothing(doorbells: Doorbells) -> None:
    assert doorbells.ring([BELL]) == [BELL]
    assert doorbells.ring([BELL, OTHER]) == [OTHER]


def test_ring_while_the_task_works_makes_it_look_again(doorbells: Doorbells) -> None:
    doorbells.ring([BELL])
    doorbells.answer(BELL)
    assert doorbells.ring([BELL]) == []
    assert not doorbells.may_rest(BELL)
    assert doorbells.may_rest(BELL)
    assert doorbells.ring([BELL]) == [BELL]


def test_ring_between_the_last_look_and_the_rest_is_not_lost(doorbells: Doorbells) -> None:
    doorbells.ring([BELL])
    doorbells.answer(BELL)
    doorbells.ring([BELL])
    doorbells.ring([BELL])
    assert not doorbells.may_rest(BELL)


def test_task_that_is_in_no_queue_and_was_not_answered_for_is_started_again(doorbells: Doorbells) -> None:
    doorbells.ring([BELL])
    assert doorbells.ring([BELL]) == []
    assert doorbells.ring([BELL], is_queue_empty=True) == [BELL]


def test_empty_queue_starts_nothing_beside_a_task_at_work_or_asleep(doorbells: Doorbells) -> None:
    doorbells.ring([BELL, OTHER])
    doorbells.answer(BELL)
    doorbells.sleep(OTHER, 60)
    assert doorbells.ring([BELL, OTHER], is_queue_empty=True) == []


def test_ring_wakes_the_task_that_waits_for_one(doorbells: Doorbells) -> None:
    doorbells.ring([BELL])
    doorbells.answer(BELL)
    assert not doorbells.wait(BELL, 0.01)
    doorbells.ring([BELL])
    assert doorbells.wait(BELL, 5)


def test_bell_of_a_dead_worker_falls_silent_by_itself(doorbells: Doorbells) -> None:
    doorbells.ring([BELL])
    doorbells.answer(BELL)
    assert 0 < redis_client().pttl(BELL.key) <= 30_000
    doorbells.ring([BELL])
    assert 0 < redis_client().pttl(BELL.key) <= 30_000


def test_earliest_of_several_alarms_counts(doorbells: Doorbells) -> None:
    for seconds in (1000, 100, 500):
        doorbells.set_alarm(BELL, seconds)
    due, wait = doorbells.due_alarms()
    assert due == []
    assert wait is not None
    assert 0 < wait <= 100


def test_due_alarm_is_given_to_one(doorbells: Doorbells) -> None:
    doorbells.set_alarm(BELL, 0)
    assert doorbells.due_alarms()[0] == [BELL]
    assert doorbells.due_alarms() == ([], None)
