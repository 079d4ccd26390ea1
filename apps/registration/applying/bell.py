"""A task for each confirmed registration; one that is lost, the sweep finds."""

from functools import partial
from uuid import UUID

import structlog
from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

from apps.core.redis import RedisError, is_left_alone, leave_alone

TASK = "registration.apply"

logger = structlog.get_logger(__name__)


def ring(registration_id: UUID) -> None:
    if is_left_alone():
        return
    try:
        current_app.send_task(TASK, args=[str(registration_id)])
    except (RedisError, OperationalError, OSError) as error:
        leave_alone()
        logger.warning("bell_not_rung", reason=type(error).__name__)


def ring_on_commit(registration_id: UUID) -> None:
    transaction.on_commit(partial(ring, registration_id))
