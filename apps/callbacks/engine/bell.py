"""One bell for all of it, and ringing that never fails: what no bell rang for is found by recover.py."""

import time

import structlog
from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

from apps.callbacks.models import WebhookEndpoint
from apps.core.redis import RedisError, is_left_alone, leave_alone
from apps.messaging.engine.bells import doorbells, waiting_tasks
from apps.messaging.engine.doorbell import Bell

QUEUE = "callbacks"
# At work at once.
TASKS = 4
# An endpoint that is new to this process is rung for so much later, or by the sweep.
LISTENERS_KNOWN_SECONDS = 5.0

logger = structlog.get_logger(__name__)


def bell(slot: int = 0) -> Bell:
    return Bell("callbacks", slot)


def ring(slot: int = 0, *, is_queue_empty: bool = False) -> None:
    if is_left_alone():
        return
    try:
        if doorbells().ring([bell(slot)], is_queue_empty=is_queue_empty):
            current_app.send_task("callbacks.deliver", args=[slot])
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


def ring_if_heard(organization_ids: set[str], **_kwargs: object) -> None:
    """Asked for whatever is published, so most of the time it looks at nothing but its memory."""
    if not _listeners().isdisjoint(organization_ids):
        ring()


_known_listeners: frozenset[str] = frozenset()
_listeners_known_until = 0.0


def _listeners() -> frozenset[str]:
    """The organizations that have an endpoint, as of a moment ago."""
    global _known_listeners, _listeners_known_until  # noqa: PLW0603 - one memory a process is the point
    if time.monotonic() >= _listeners_known_until:
        enabled = WebhookEndpoint.across_organizations.filter(is_enabled=True)
        _known_listeners = frozenset(map(str, enabled.values_list("organization_id", flat=True).distinct()))
        _listeners_known_until = time.monotonic() + LISTENERS_KNOWN_SECONDS
    return _known_listeners
