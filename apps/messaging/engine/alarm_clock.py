"""Rings when a time has come: a thread in each worker, so that no task ever waits with an ETA.

It also sees to it that the sweep runs every few seconds, with or without beat. Any number of workers do this at
once; Redis gives each alarm, and each turn to sweep, to one of them.
"""

import threading

import structlog

from apps.core.redis import RedisError, redis_client
from apps.messaging.engine import bells

logger = structlog.get_logger(__name__)

# An alarm that another process sets meanwhile is seen so soon.
LOOKS_EVERY_SECONDS = 0.1
SWEEP_SECONDS = 2.0
_TURN = "recado:sweep"


class AlarmClock(threading.Thread):
    def __init__(self) -> None:
        super().__init__(name="alarm-clock", daemon=True)
        self._is_stopped = threading.Event()

    def run(self) -> None:
        wait = 0.0
        while not self._is_stopped.wait(wait):
            try:
                wait = min(LOOKS_EVERY_SECONDS, ring_due_alarms())
                ring_for_sweep()
            except RedisError as error:
                logger.warning("alarm_clock_waits", reason=type(error).__name__)
                wait = 1.0

    def stop(self) -> None:
        self._is_stopped.set()


def ring_due_alarms() -> float:
    """Returns the seconds until the next one, at most a second."""
    due, wait = bells.doorbells().due_alarms()
    # Whatever the bell says: it was put to sleep until now.
    bells.doorbells().forget(due)
    bells.ring(due)
    return 1.0 if wait is None else min(wait, 1.0)


def ring_for_sweep() -> None:
    if redis_client().set(_TURN, "taken", nx=True, px=round(SWEEP_SECONDS * 1000)):
        bells.start([bells.RECOVER])
