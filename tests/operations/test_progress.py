"""Whether a worker gets on with its work: by what was seen of it, look by look."""

import socket

import pytest
from pytest_django import Settings

from apps.core.redis import redis_client
from apps.operations.progress import worker
from apps.operations.progress.verdict import Remembered, WorkerSeen, judge_beat, judge_worker
from local.ports import free_port

IDLE = {"dispatch.sms": 0}
WAITING = {"dispatch.email": 0, "dispatch.sms": 3}


def look(at: float, **seen: object) -> WorkerSeen:
    """Of a worker of two slots that has just sent a heartbeat and has nothing to do."""
    usual = {"heard_at": at - 1, "started": 7, "waiting": IDLE, "handed_over": 0, "free": 2}
    return WorkerSeen(at=at, **(usual | seen))  # type: ignore[arg-type]


STUCK = "tasks wait (3 in dispatch.sms), 2 more could be worked on, and none was started for 70 s"


@pytest.mark.parametrize(
    ("looks", "is_well", "words"),
    [
        ([look(0)], True, "well"),
        # The consumer.
        ([look(0), look(100, heard_at=45)], True, "well"),
        ([look(0), look(100, heard_at=30)], False, "the consumer has sent no heartbeat for 70 s"),
        ([look(100, heard_at=30, free=0)], False, "the consumer has sent no heartbeat for 70 s"),
        ([look(100, heard_at=30, waiting={})], False, "the consumer has sent no heartbeat for 70 s"),
        # Tasks.
        ([look(0), look(1000, waiting=WAITING)], True, "well"),
        ([look(0, waiting=WAITING), look(50, waiting=WAITING)], True, "well"),
        ([look(0, waiting=WAITING), look(70, waiting=WAITING)], True, "well"),  # the first look knows no count
        ([look(n, waiting=WAITING) for n in (0, 10, 80)], False, STUCK),
        ([look(0), look(10, handed_over=1), look(80, handed_over=1)], False,
         "tasks wait (1 handed to a child), 2 more could be worked on, and none was started for 70 s"),
        ([look(n, waiting=WAITING, free=0) for n in (0, 10, 80)], True, "well"),
        ([look(n, waiting=WAITING, started=n) for n in (0, 10, 80)], True, "well"),
        ([look(0), look(10, waiting=WAITING), look(40), look(80, waiting=WAITING)], True, "well"),
        ([*(look(n, waiting=WAITING) for n in (0, 10, 80)), look(90, waiting=WAITING, started=8)], True, "well"),
        # The broker.
        ([look(0), look(500, heard_at=1, waiting=None)], True, "degraded: the broker does not answer"),
        ([look(500, heard_at=1, waiting=None), look(550, heard_at=1)], True, "well"),
        ([look(500, heard_at=1, waiting=None), look(570, heard_at=1)], False,
         "the consumer has sent no heartbeat for 70 s"),
        ([look(0, waiting=WAITING), look(10, waiting=WAITING), look(60, waiting=None), look(80, waiting=WAITING)],
         True, "well"),
        # The end.
        ([look(500, heard_at=1, is_stopping=True)], True, "stopping: finishes what it has begun"),
    ],
)  # fmt: skip
def test_worker_is_judged_by_what_it_starts(looks: list[WorkerSeen], is_well: bool, words: str) -> None:
    remembered = Remembered()
    for seen in looks:
        remembered, health = judge_worker(remembered, seen)
    assert (health.is_well, health.words) == (is_well, words)


@pytest.mark.parametrize(
    ("silent", "is_well", "words"),
    [
        (1.0, True, "standing by"),
        (59.0, True, "standing by"),
        (73.0, False, "the scheduler has not ticked for 73 s"),
    ],
)
def test_beat_is_judged_by_its_ticks(silent: float, is_well: bool, words: str) -> None:
    health = judge_beat(silent, "standing by")
    assert (health.is_well, health.words) == (is_well, words)


def test_broker_tells_how_many_tasks_wait() -> None:
    redis_client().rpush("dispatch.sms", "a", "b")
    assert worker.waiting(["dispatch.sms", "files"]) == {"dispatch.sms": 2, "files": 0}


@pytest.mark.parametrize("scheme", ["redis", "amqp"])
def test_broker_that_is_away_is_no_number(scheme: str, settings: Settings) -> None:
    settings.BROKER_URL = f"{scheme}://127.0.0.1:{free_port()}"
    assert worker.waiting(["files"]) is None


def test_broker_that_takes_calls_and_never_answers_is_away_too(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.BROKER_URL = f"redis://127.0.0.1:{silent.getsockname()[1]}"
        assert worker.waiting(["files"]) is None
