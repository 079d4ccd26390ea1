"""The event loop of a worker process: made after the fork, kept for the life of the process, with its connections.

The database is asked in two threads beside it, each with a connection of its own: so that writing down what became
of one message does not wait for the claim of the next.
"""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from typing import Any

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection

from apps.channels.outbound import provider_client
from apps.core.guarded_http import GuardedClient
from apps.core.tracing import carried

try:
    from uvloop import new_event_loop
except ImportError:  # an optional, faster one
    from asyncio import new_event_loop  # type: ignore[assignment]

THREADS = 2


class Loop:
    def __init__(self) -> None:
        self._runner = asyncio.Runner(loop_factory=new_event_loop)
        self._database = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="database")
        self._client: GuardedClient | None = None

    def run[T](self, work: Callable[["Loop"], Coroutine[Any, Any, T]]) -> T:
        return self._runner.run(work(self))

    async def client(self) -> GuardedClient:
        if self._client is None:
            self._client = await provider_client(settings.OUTBOUND_SECONDS).__aenter__()
        return self._client

    async def in_database[**P, T](self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        call = partial(_with_good_connection, partial(function, *args, **kwargs))
        return await asyncio.get_running_loop().run_in_executor(self._database, carried(call))

    def close(self) -> None:
        async def close_client() -> None:
            if self._client is not None:
                await self._client.__aexit__()

        self._runner.run(close_client())
        self._runner.close()
        # One call for each thread: none ends before all have begun.
        together = Barrier(THREADS)
        for closing in [self._database.submit(_close_connection, together) for _ in range(THREADS)]:
            closing.result()
        self._database.shutdown()


def _with_good_connection[T](function: Callable[[], T]) -> T:
    """A connection that broke is not kept: the next call opens another."""
    try:
        return function()
    except DatabaseError:
        connection.close()
        raise


def _close_connection(together: Barrier) -> None:
    """Of the thread that asks: `connection` is another in each."""
    together.wait()
    connection.close()


_loop: Loop | None = None


def process_loop() -> Loop:
    global _loop  # noqa: PLW0603 - one loop a process is the point
    if _loop is None:
        _loop = Loop()
    return _loop
