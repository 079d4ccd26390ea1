"""Django's cache on Redis, that forgets instead of failing.

It counts log-in attempts and used one-time codes. When Redis is away an operator must still be able to log
in, and the limits must still hold: each process then counts for itself.
"""

from collections.abc import Callable
from typing import Any

from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache

from apps.core.redis import ANSWER_SECONDS, CONNECT_SECONDS, RedisError, is_left_alone, leave_alone


class ForgivingRedisCache(RedisCache):
    def __init__(self, server: str, params: dict[str, Any]) -> None:
        options = {"socket_connect_timeout": CONNECT_SECONDS, "socket_timeout": ANSWER_SECONDS}
        super().__init__(server, {**params, "OPTIONS": {**options, **params.get("OPTIONS", {})}})
        self._own = LocMemCache("recado", params)


def _forgiving(operation: str) -> Callable[..., Any]:
    def call(self: ForgivingRedisCache, *args: Any, **kwargs: Any) -> Any:
        if not is_left_alone():
            try:
                return getattr(super(ForgivingRedisCache, self), operation)(*args, **kwargs)
            except RedisError:
                leave_alone()
        return getattr(self._own, operation)(*args, **kwargs)

    call.__name__ = operation
    return call


for _operation in (
    "add",
    "get",
    "set",
    "touch",
    "delete",
    "incr",
    "has_key",
    "get_many",
    "set_many",
    "delete_many",
):
    setattr(ForgivingRedisCache, _operation, _forgiving(_operation))
