"""Which workers are alive: each says so every few seconds, in Redis, which forgets those that do not."""

import time

import structlog
from celery.signals import heartbeat_sent, worker_shutdown

from apps.core.redis import RedisError, is_left_alone, leave_alone, redis_client

logger = structlog.get_logger(__name__)

KEY = "recado:workers"
# Heartbeats come every two seconds.
SILENT_SECONDS = 15
_SAID_EVERY = 5.0

_said_at = 0.0


def say_alive(sender: object, **_: object) -> None:
    global _said_at  # noqa: PLW0603 - one worker a process is the point
    if is_left_alone() or time.monotonic() - _said_at < _SAID_EVERY:
        return
    _said_at = time.monotonic()
    try:
        redis_client().zadd(KEY, {_name(sender): time.time()})
    except RedisError:
        leave_alone()


def say_goodbye(sender: object, **_: object) -> None:
    try:
        redis_client().zrem(KEY, _name(sender))
    except RedisError:
        leave_alone()


def alive() -> list[str] | None:
    """Their names; None while nobody can tell."""
    if is_left_alone():
        return None
    since = time.time() - SILENT_SECONDS
    try:
        client = redis_client()
        client.zremrangebyscore(KEY, "-inf", since)
        return sorted(name.decode() for name in client.zrange(KEY, 0, -1) if isinstance(name, bytes))
    except RedisError as error:
        leave_alone()
        logger.warning("workers_not_read", reason=type(error).__name__)
        return None


def _name(sender: object) -> str:
    """Of the worker itself, or of its heart, which knows it by what tells of it."""
    return str(getattr(getattr(sender, "eventer", sender), "hostname", "worker"))


def listen() -> None:
    heartbeat_sent.connect(say_alive)
    worker_shutdown.connect(say_goodbye)
