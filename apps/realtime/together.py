"""Questions to the database from many clients, asked together: a thousand that come at once cost a few queries."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor

from django.db import connections

MOST = 500


class Together[Q, A]:
    """While one call of `ask` is under way, the questions for the next one gather."""

    def __init__(self, ask: Callable[[Sequence[Q]], Sequence[A]], threads: Executor) -> None:
        self._ask = ask
        self._threads = threads
        self._waiting: list[tuple[Q, asyncio.Future[A]]] = []
        self._asking: asyncio.Task[None] | None = None

    async def __call__(self, question: Q) -> A:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[A] = loop.create_future()
        self._waiting.append((question, answer))
        if self._asking is None or self._asking.done():
            self._asking = loop.create_task(self._ask_all())
        return await answer

    async def _ask_all(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
            try:
                answers = await in_thread(self._threads, self._ask, [question for question, _ in batch])
            except Exception as error:  # noqa: BLE001 - whoever asked is told
                for _, future in batch:
                    if not future.done():
                        future.set_exception(error)
                continue
            for (_, future), answer in zip(batch, answers, strict=True):
                if not future.done():  # somebody who asked has gone
                    future.set_result(answer)


async def in_thread[**P, R](threads: Executor, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    def call() -> R:
        try:
            return function(*args, **kwargs)
        finally:
            # Back into the pool; this thread may not be asked again for long.
            connections.close_all()

    return await asyncio.get_running_loop().run_in_executor(threads, call)
