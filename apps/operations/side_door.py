"""The side door of workers and of beat: opened when they are ready, by their parent, and closed in their children.

What can be seen there is added with `apps.core.side_door.add_page`.
"""

from http.server import ThreadingHTTPServer
from typing import Any

from billiard import current_process
from celery.signals import beat_init, worker_init, worker_process_init, worker_ready, worker_shutdown
from django.conf import settings

from apps.core.metrics import exposed, shared
from apps.core.side_door import add_page, open_or_exit

_door: ThreadingHTTPServer | None = None


def count_together(**_: Any) -> None:
    """Where nobody can look, each process counts for itself, and forgets."""
    if settings.INTERNAL_ADDRESS is not None:
        shared.begin()


def open_door(**_: Any) -> None:
    global _door  # noqa: PLW0603 - of the process
    _door = open_or_exit()


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
    worker_ready.connect(open_door)
    beat_init.connect(open_door)
    worker_shutdown.connect(close_door)
