"""Connections to Redis, with limits on how long anybody waits for one."""

from functools import lru_cache

import redis
from django.conf import settings

# What Redis holds here is a convenience; a request must not hang on it.
CONNECT_SECONDS = 0.5
ANSWER_SECONDS = 1.0
CONNECTIONS = 64

Redis = redis.Redis
RedisError = redis.RedisError


@lru_cache(maxsize=2)
def _connect(url: str) -> Redis:
    pool = redis.ConnectionPool.from_url(
        url,
        max_connections=CONNECTIONS,
        socket_connect_timeout=CONNECT_SECONDS,
        socket_timeout=ANSWER_SECONDS,
        health_check_interval=30,
    )
    return redis.Redis(connection_pool=pool)


def redis_client() -> Redis:
    """One pooled client a process. Opens nothing until it is used, so it may be made before a fork."""
    return _connect(settings.REDIS_URL)
