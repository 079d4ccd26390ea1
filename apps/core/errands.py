"""Start a task about one thing once what it is about is committed.

An errand that could not be started costs a minute and loses nothing: a sweep finds what waits.
"""

from functools import partial
from uuid import UUID

import structlog
from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

from apps.core.redis import RedisError, is_left_alone, leave_alone

logger = structlog.get_logger(__name__)


def start_on_commit(task: str, subject: UUID) -> None:
    transaction.on_commit(partial(start, task, subject))


def start(task: str, subject: UUID) -> None:
    if is_left_alone():
        return
    try:
        current_app.send_task(task, args=[str(subject)])
    except (OperationalError, RedisError, OSError) as error:
        leave_alone()
        logger.warning("task_not_started", task=task, reason=type(error).__name__)
