"""Whose bell starts which task, and ringing that never fails.

A bell that could not be rung costs seconds, not messages: recover.py finds what waits.
"""

from collections.abc import Callable, Iterable
from functools import cache, partial
from uuid import UUID

import structlog
from celery import current_app
from django.conf import settings
from django.db import transaction
from kombu.exceptions import OperationalError

from apps.channels.models import ChannelAccount
from apps.channels.registry import queue_of
from apps.core import tracing
from apps.core.redis import RedisError, is_left_alone, leave_alone, redis_at, redis_client
from apps.messaging.engine.doorbell import Bell, Doorbells

logger = structlog.get_logger(__name__)

RECOVER = Bell("recover")


@cache
def doorbells() -> Doorbells:
    return Doorbells(redis_client())


def drain_bell(connector: str, account_id: UUID, slot: int = 0) -> Bell:
    return Bell(f"drain:{connector}:{account_id}", slot)


def receive_bell(lane: int) -> Bell:
    return Bell(f"receive:{lane}")


def others_wait(connector: str) -> bool:
    """Whether tasks of this channel wait for a worker. In a broker that is not Redis that cannot be seen."""
    return waiting_tasks(queue_of(connector)) != 0


def waiting_tasks(queue: str) -> int | None:
    url = settings.BROKER_URL
    if not url.startswith("redis"):
        return None
    return redis_at(url).llen(queue)


def ring_again(bells: Iterable[Bell], queue: str) -> None:
    """By the sweep: a worker that died with a task in hand leaves a bell that was rung, and an empty queue."""
    try:
        start(doorbells().ring(bells, is_queue_empty=waiting_tasks(queue) == 0))
    except RedisError as error:
        logger.warning("bell_not_rung", reason=type(error).__name__)


def ring(bells: Iterable[Bell]) -> None:
    if is_left_alone():
        return
    try:
        started = doorbells().ring(bells)
    except RedisError as error:
        leave_alone()
        logger.warning("bell_not_rung", reason=type(error).__name__)
        return
    start(started)


def ring_on_commit(bells: Iterable[Bell]) -> None:
    transaction.on_commit(partial(ring, list(bells)))


def wake_account(account_id: UUID, **_kwargs: object) -> None:
    """Its messages may be able to leave now: whatever its bell was put to sleep for is over."""
    name = ChannelAccount.across_organizations.values_list("connector", flat=True).get(pk=account_id)
    bell = drain_bell(name, account_id)
    try:
        doorbells().forget([bell])
    except RedisError as error:
        logger.warning("bell_not_rung", reason=type(error).__name__)
        return
    ring([bell])


def start(bells: Iterable[Bell]) -> None:
    for bell in bells:
        kind, _, rest = bell.name.partition(":")
        try:
            _STARTS[kind](rest, bell.slot)
        except (OperationalError, RedisError, OSError) as error:
            leave_alone()
            logger.warning("task_not_started", bell=str(bell), reason=type(error).__name__)
            return


def _start_drain(rest: str, slot: int) -> None:
    connector, _, account_id = rest.partition(":")
    ringer = tracing.traceparent()
    current_app.send_task(
        "messaging.drain",
        args=[account_id, slot],
        queue=queue_of(connector),
        headers={"traceparent": ringer} if ringer else None,
    )


def _start_receive(lane: str, _slot: int) -> None:
    current_app.send_task("messaging.receive", args=[int(lane)])


def _start_recover(_rest: str, _slot: int) -> None:
    current_app.send_task("messaging.recover")


_STARTS: dict[str, Callable[[str, int], None]] = {
    "drain": _start_drain,
    "receive": _start_receive,
    "recover": _start_recover,
}
