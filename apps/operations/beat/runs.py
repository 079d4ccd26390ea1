"""How the last run of each periodic task ended: each worker says so in Redis, a line a task."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
import structlog
from celery.signals import task_postrun

from apps.core import clock
from apps.core.redis import RedisError, is_left_alone, leave_alone, redis_client
from apps.operations.beat.words import DOES
from apps.operations.models import TrafficCursor

logger = structlog.get_logger(__name__)

KEY = "recado:runs"


@dataclass(frozen=True, slots=True)
class Run:
    at: datetime
    # Empty where all went well; else what kind of error it was.
    error: str


def note(task: Any, state: str, retval: object, **_: object) -> None:
    """Of those that beat starts; there are no more lines than these."""
    if task.name not in DOES or is_left_alone():
        return
    error = "" if state == "SUCCESS" else type(retval).__name__
    try:
        redis_client().hset(KEY, task.name, orjson.dumps([clock.now().timestamp(), error]).decode())
    except RedisError:
        leave_alone()


def last() -> Mapping[str, Run]:
    """By task. Nothing while Redis does not answer."""
    if is_left_alone():
        return {}
    try:
        found = redis_client().hgetall(KEY)
    except RedisError as error:
        leave_alone()
        logger.warning("runs_not_read", reason=type(error).__name__)
        return {}
    return {_text(name): _run(line) for name, line in found.items()}


def beat_ran_at() -> datetime | None:
    """Seen by what it has done most often; None where it never ran."""
    return TrafficCursor.objects.values_list("counted_at", flat=True).first()


def _run(line: bytes | str) -> Run:
    seconds, error = orjson.loads(line)
    return Run(datetime.fromtimestamp(seconds, UTC), error)


def _text(name: bytes | str) -> str:
    return name.decode() if isinstance(name, bytes) else name


def listen() -> None:
    task_postrun.connect(note)
