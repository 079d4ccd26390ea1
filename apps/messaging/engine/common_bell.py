"""One bell for all work of a kind, and ringing that never fails: a sweep finds what it misses.

Tasks answer it side by side, each in a slot of its own; one that has its hands full rings for the next.
"""

from dataclasses import dataclass

import structlog
from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

from apps.core.redis import RedisError, is_left_alone, leave_alone
from apps.messaging.engine.bells import doorbells, waiting_tasks
from apps.messaging.engine.doorbell import Bell

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class CommonBell:
    # Of the bell, and of the queue that its tasks wait in.
    name: str
    task: str
    # At work at once.
    tasks: int = 4

    def ring(self, slot: int = 0, *, is_queue_empty: bool = False) -> None:
        if is_left_alone():
            return
        try:
            if doorbells().ring([Bell(self.name, slot)], is_queue_empty=is_queue_empty):
                current_app.send_task(self.task, args=[slot])
        except (RedisError, OperationalError, OSError) as error:
            leave_alone()
            logger.warning("bell_not_rung", bell=self.name, reason=type(error).__name__)

    def ring_on_commit(self) -> None:
        transaction.on_commit(self.ring)

    def ring_forgotten(self) -> None:
        """By the sweep: a worker that died with a task in hand leaves a bell that was rung, and no task."""
        try:
            self.ring(is_queue_empty=waiting_tasks(self.name) == 0)
        except RedisError as error:
            logger.warning("bell_not_rung", bell=self.name, reason=type(error).__name__)

    def answer(self, slot: int) -> None:
        doorbells().answer(Bell(self.name, slot))

    def may_rest(self, slot: int) -> bool:
        return doorbells().may_rest(Bell(self.name, slot))

    def ring_next(self, slot: int) -> None:
        """By a task that has its hands full."""
        if slot + 1 < self.tasks:
            self.ring(slot + 1)

    def ring_again(self, slot: int) -> None:
        """By a task that ends though there is more to do."""
        doorbells().forget([Bell(self.name, slot)])
        self.ring(slot)
