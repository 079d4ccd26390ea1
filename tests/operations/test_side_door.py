"""What a worker that stands still says of itself, and one that goes on again."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from apps.accounts.tasks import remove_expired
from apps.core.redis import redis_client
from local.ports import HOST, free_port
from tests.operations.processes import Celery

pytestmark = pytest.mark.django_db(transaction=True)

PATIENCE_SECONDS = 1.5
WORKER = ("worker", "--queues", "maintenance", "--concurrency", "1", "--hostname", "slow@test")


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Celery]:
    worker = Celery("worker", tmp_path, *WORKER, patience=PATIENCE_SECONDS)
    worker.start()
    try:
        worker.wait_until(lambda: worker.has_written(" ready."), 120)
        yield worker
    finally:
        worker.stop()


def _child_of(worker: Celery) -> int:
    (child,) = psutil.Process(worker.pid).children()
    return int(child.pid)


@pytest.mark.long
def test_worker_that_starts_nothing_is_not_well_until_it_does(worker: Celery) -> None:
    assert worker.health() == (200, "well")
    child = _child_of(worker)
    os.kill(child, signal.SIGSTOP)
    for _ in range(2):
        remove_expired.delay()
    worker.wait_until(lambda: worker.health()[0] == 503, 60)
    assert worker.health()[1].startswith("tasks wait (1 in maintenance, 1 handed to a child), 1 more")
    os.kill(child, signal.SIGCONT)
    worker.wait_until(lambda: worker.health() == (200, "well"), 60)

    # Its consumer lives, beats, and takes nothing.
    os.kill(worker.pid or 0, signal.SIGUSR1)
    worker.wait_until(lambda: _is_left_waiting(remove_expired), 60)
    worker.wait_until(lambda: worker.health()[0] == 503, 60)
    assert " in maintenance), 1 more could be worked on" in worker.health()[1]
    os.kill(worker.pid or 0, signal.SIGUSR2)
    worker.wait_until(lambda: worker.health() == (200, "well"), 60)


def _is_left_waiting(task: Any) -> bool:
    """Those before it may still have been taken."""
    task.delay()
    return redis_client().llen("maintenance") > 3


def test_worker_without_a_broker_is_degraded_and_not_restarted(tmp_path: Path) -> None:
    worker = Celery(
        "worker", tmp_path, *WORKER, patience=PATIENCE_SECONDS, BROKER_URL=f"redis://{HOST}:{free_port()}"
    )
    worker.start()
    try:
        worker.wait_until(lambda: worker.health() == (200, "degraded: the broker does not answer"), 120)
    finally:
        worker.stop()
