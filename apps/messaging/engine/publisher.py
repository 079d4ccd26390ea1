"""Publish what this process wrote: at once where somebody may be waiting for it, else from a thread of its own.

The thread looks again until nothing is left, for events may be held back by transactions of others. A process that
dies in between leaves its events to the sweep.
"""

import threading
import time

import structlog
from django.db import Error as DatabaseError
from django.db import connection, transaction

from apps.core.prepared import Rows
from apps.core.redis import RedisError
from apps.messaging.engine.publish import Look, publish_batch, publish_found

# What nobody waits for is published together.
GATHER_SECONDS = 0.01
# Between two looks.
SHORTEST_PAUSE = 0.0005
LONGEST_PAUSE = 0.01
# After a failure: Redis or the database may be away for long, and the sweep looks too.
LONGEST_WAIT = 2.0

logger = structlog.get_logger(__name__)


class Publisher:
    def __init__(self) -> None:
        self._nudged = threading.Event()
        self._is_stopped = False
        self._hurries = False
        self._thread = threading.Thread(target=self._run, name="publisher", daemon=True)
        self._thread.start()

    def nudge(self, *, hurry: bool = False) -> None:
        self._hurries = self._hurries or hurry
        self._nudged.set()

    def stop(self) -> None:
        """With what it has at hand."""
        self._is_stopped = True
        self.nudge()
        self._thread.join()

    def _run(self) -> None:
        while not self._is_stopped:
            self._nudged.wait()
            if not self._hurries:
                time.sleep(GATHER_SECONDS)
            self._hurries = False
            self._nudged.clear()
            self._publish_all()
        connection.close()

    def _publish_all(self) -> None:
        pause, wait = SHORTEST_PAUSE, 0.1
        while True:
            look = look_once()
            if look is None:
                time.sleep(wait)
                wait = min(2 * wait, LONGEST_WAIT)
                continue
            if not look.is_more:
                return
            pause = SHORTEST_PAUSE if look.published else pause
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)


def look_once(found: Rows | None = None) -> Look | None:
    """None when Redis or the database does not answer."""
    try:
        return publish_batch() if found is None else publish_found(found)
    except (RedisError, DatabaseError, OSError) as error:
        logger.warning("events_not_published", reason=type(error).__name__)
        connection.close()
        return None


_is_enabled = False
_publisher: Publisher | None = None
_lock = threading.Lock()


def enable() -> None:
    """Said by every process that runs for long. The thread starts when it is needed: after all forks."""
    global _is_enabled  # noqa: PLW0603 - of the process
    _is_enabled = True


def publish_now(found: Rows | None = None) -> None:
    """What was just committed, by whoever has nothing more urgent to do; `found` where it was read already."""
    if _is_enabled and ((look := look_once(found)) is None or look.is_more):
        _nudge(hurry=True)


def publish_soon() -> None:
    """Once what was written is committed."""
    transaction.on_commit(_nudge)


def _nudge(*, hurry: bool = False) -> None:
    global _publisher  # noqa: PLW0603 - one a process
    if not _is_enabled:
        return
    with _lock:
        if _publisher is None:
            _publisher = Publisher()
    _publisher.nudge(hurry=hurry)
