"""Synchronous Django for an event loop: a small pool of threads, and no place in it to wait for ever."""

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import structlog
from django.db import close_old_connections

from apps.core.api.problems import Unavailable


class Threads:
    def __init__(self, count: int, most_waiting: int, name: str = "django") -> None:
        self._pool = ThreadPoolExecutor(count, thread_name_prefix=name)
        self._most = count + most_waiting
        self._present = 0

    async def run[**P, T](self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        if self._present >= self._most:
            raise Unavailable(wait=1)
        self._present += 1
        context = contextvars.copy_context()

        def in_thread() -> T:
            # Before, for one that has died; after, so that it goes back to the pool of connections.
            close_old_connections()
            try:
                return context.run(work, *args, **kwargs)
            finally:
                close_old_connections()

        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, in_thread)
        finally:
            self._present -= 1
            # What the thread learned about the caller, for the line that is logged at the end.
            structlog.contextvars.bind_contextvars(**context.run(structlog.contextvars.get_contextvars))

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
