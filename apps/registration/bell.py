"""One bell for all that waits to be heard, and ringing that never fails: what it misses, the sweep finds."""

import structlog
from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

from apps.core.redis import RedisError, is_left_alone, leave_alone
from apps.messaging.engine.bells import doorbells, waiting_tasks
from apps.messaging.engine.doorbell import Bell

QUEUE = "registration"
TASK = "registration.converse"
# At work at once.
TASKS = 4

logger = structlog.get_logger(__name__)


def bell(slot: int = 0) -> Bell:
    return Bell("registration", slot)


def ring(slot: int = 0, *, is_queue_empty: bool = False) -> None:
    if is_left_alone():
        return
    try:
        if doorbells().ring([bell(slot)], is_queue_empty=is_queue_empty):
            current_app.send_task(TASK, args=[slot])
    except (RedisError, OperationalError, OSError) as error:
        leave_alone()
        logger.warning("bell_not_rung", reason=type(error).__name__)


def ring_next(slot: int) -> None:
    """By a task that has its hands full."""
    if slot + 1 < TASKS:
        ring(slot + 1)


def ring_again() -> None:
    """By the sweep: a worker that died with the task in hand leaves a bell that was rung, and an empty queue."""
    try:
        ring(is_queue_empty=waiting_tasks(QUEUE) == 0)
    except RedisError as error:
        logger.warning("bell_not_rung", reason=type(error).__name__)


def ring_on_commit() -> None:
    transaction.on_commit(ring)
