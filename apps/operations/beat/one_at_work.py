"""Beat's scheduler. Any number of beats may run: one is at work, the others stand by (docs/adr/0038)."""

import time
from typing import Any

import psycopg
import structlog
from django.db import Error as DatabaseError
from django_celery_beat.schedulers import DatabaseScheduler, ModelEntry
from kombu.exceptions import OperationalError

from apps.operations.beat.turn import Turn

logger = structlog.get_logger(__name__)

# How soon one that stands by finds out that it is its turn.
LOOK_SECONDS = 2.0

AT_WORK = "at work"
STANDING_BY = "standing by: another beat is at work"
NO_DATABASE = "standing by: the database does not answer"
NO_BROKER = "at work, and waiting: the broker does not answer"


class OneAtWork(DatabaseScheduler):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._turn = Turn()
        self.state = STANDING_BY
        self.ticked_at = time.monotonic()
        super().__init__(*args, **kwargs)

    def setup_schedule(self) -> None:
        """When it is our turn: whoever stands by writes nothing, and can do so without a database."""

    def tick(self, *_args: Any, **_kwargs: Any) -> float:
        try:
            wait = self._work() if self._is_our_turn() else LOOK_SECONDS
        except (psycopg.Error, DatabaseError) as error:
            # What was taken off the heap and not sent would be forgotten with it.
            self._heap = None
            self._turn.give_up()
            self._say(NO_DATABASE, reason=type(error).__name__)
            wait = LOOK_SECONDS
        self.ticked_at = time.monotonic()
        return wait

    def reserve(self, entry: ModelEntry) -> ModelEntry:
        """Written down over the connection that has the lock: who lost the lock sends nothing more.

        The package writes every three minutes, so that whoever takes over would send again what was sent since.
        """
        reserved = next(entry)
        self._turn.write_down(reserved.model.pk, reserved.model.last_run_at, reserved.model.total_run_count)
        return reserved

    def close(self) -> None:
        try:
            super().close()
        finally:
            self._turn.give_up()

    def _is_our_turn(self) -> bool:
        if self._turn.is_ours:
            self._turn.check()
            return True
        if not self._turn.take():
            self._say(STANDING_BY)
            return False
        self._say(AT_WORK)
        # From what is written: another was at work since we last looked.
        self._initial_read = True
        self._heap = None
        super().setup_schedule()
        return True

    def _work(self) -> float:
        try:
            # Before anything is written down as sent.
            _ = self.producer
        except (OperationalError, OSError) as error:
            self._say(NO_BROKER, reason=type(error).__name__)
            return LOOK_SECONDS
        self._say(AT_WORK)
        return float(super().tick())

    def _ensure_connected(self) -> Any:
        """One try: whoever waits here for the broker does not tick."""
        return self.connection.ensure_connection(max_retries=1, interval_start=0.1, timeout=4)

    def _say(self, state: str, **why: str) -> None:
        if state != self.state:
            self.state = state
            logger.info("beat", state=state, **why)
