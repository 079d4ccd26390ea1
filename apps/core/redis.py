"""Connections to Redis, with limits on how long anybody waits for one."""

import time
from functools import lru_cache

import redis
from django.conf import settings

# What Redis holds here is a convenience; a request must not hang on it.
CONNECT_SECONDS = 0.5
ANSWER_SECONDS = 1.0
CONNECTIONS = 64
LEFT_ALONE_SECONDS = 5

Redis = redis.Redis
RedisError = redis.RedisError


@lru_cache(maxsize=2)
def redis_at(url: str) -> Redis:
    """One pooled client a process. Opens nothing until it is used, so it may be made before a fork."""
    pool = redis.ConnectionPool.from_url(
        url,
        max_connections=CONNECTIONS,
        socket_connect_timeout=CONNECT_SECONDS,
        socket_timeout=ANSWER_SECONDS,
        health_check_interval=30,
    )
    return redis.Redis(connection_pool=pool)


_left_alone_until = 0.0


def is_left_alone() -> bool:
    """Whether Redis failed a moment ago. What can do without it then does, instead of waiting once more."""
    return time.monotonic() < _left_alone_until


def leave_alone() -> None:
    """Said by whoever met a failure, to everybody in this process."""
    global _left_alone_until  # noqa: PLW0603 - one state a process is the point
    _left_alone_until = time.monotonic() + LEFT_ALONE_SECONDS


def redis_client() -> Redis:
    """The one that Recado keeps its own things in."""
    return redis_at(settings.REDIS_URL)
