"""The side door of workers and of beat: opened by the parent, closed in its children.

`/metrics` shows what they count, `/healthz` whether they get on with their work. More is added with
`apps.core.side_door.add_page`.
"""

import time
from collections.abc import Callable
from http.server import ThreadingHTTPServer
from typing import Any

import structlog
from billiard import current_process
from celery import bootsteps
from celery.signals import beat_init, worker_init, worker_process_init, worker_shutdown
from django.conf import settings

from apps.core.metrics import exposed, shared
from apps.core.side_door import Page, add_page, open_or_exit
from apps.operations.progress.verdict import Health, judge_beat
from apps.operations.progress.worker import WorkerProgress

logger = structlog.get_logger(__name__)

_door: ThreadingHTTPServer | None = None


class SideDoor(bootsteps.StartStopStep):
    """Before the consumer: a worker that waits for its broker answers too."""

    requires = ("celery.worker.components:Pool",)

    def start(self, worker: Any) -> None:
        _open(WorkerProgress(worker).health)


def open_beats(sender: Any, **_: object) -> None:
    scheduler = sender.scheduler
    _open(lambda: judge_beat(time.monotonic() - scheduler.ticked_at, scheduler.state))


def _open(health: Callable[[], Health]) -> None:
    global _door  # noqa: PLW0603 - one door a process is the point

    def page() -> Page:
        seen = health()
        return Page(f"{seen.words}\n".encode(), status=200 if seen.is_well else 503)

    add_page("/healthz", page)
    _door = open_or_exit()


def count_together(**_: Any) -> None:
    """Where nobody can look, each process counts for itself, and forgets."""
    if settings.INTERNAL_ADDRESS is None:
        return
    try:
        shared.begin()
    except OSError as error:
        hint = (
            "Workers write their metrics into the temporary directory: let TMPDIR name one that they may write to."
        )
        logger.critical("metrics_not_shared", reason=str(error), hint=hint)
        raise SystemExit(1) from error


def take_place(**_: Any) -> None:
    global _door  # noqa: PLW0603 - of the process
    shared.take_place(current_process().index)  # type: ignore[attr-defined]
    if _door is not None:
        # A child that outlives its parent must not keep the address.
        _door.socket.close()
        _door = None


def close_door(**_: Any) -> None:
    global _door  # noqa: PLW0603 - of the process
    if _door is not None:
        _door.shutdown()
        _door.server_close()
        _door = None


def listen() -> None:
    add_page(exposed.PATH, exposed.page)
    worker_init.connect(count_together)
    worker_process_init.connect(take_place)
    beat_init.connect(open_beats)
    worker_shutdown.connect(close_door)
