"""Work that several threads share."""

from collections.abc import Callable, Iterable
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Generic, TypeVar

WATCH_SECONDS = 0.1

K = TypeVar("K")
R = TypeVar("R")


class Shared(Generic[K, R]):
    """`work` done for each key, begun in the order of the keys. The first failure ends it.

    The threads are daemons: whoever interrupts us does not wait until a socket of theirs has given up.
    """

    def __init__(self, keys: Iterable[K], work: Callable[[K], R]) -> None:
        self._left = list(keys)[::-1]
        self._count = len(self._left)
        self._work = work
        self._taking = Lock()
        self._ended: SimpleQueue[tuple[K, R] | BaseException] = SimpleQueue()

    def run(self, threads: int, while_waiting: Callable[[], None]) -> dict[K, R]:
        for _ in range(min(threads, self._count)):
            Thread(target=self._take_and_work, daemon=True).start()
        results: dict[K, R] = {}
        while len(results) < self._count:
            while_waiting()
            try:
                ended = self._ended.get(timeout=WATCH_SECONDS)
            except Empty:
                continue
            if isinstance(ended, BaseException):
                self._drop()
                raise ended
            key, result = ended
            results[key] = result
        return results

    def _take_and_work(self) -> None:
        while True:
            with self._taking:
                if not self._left:
                    return
                key = self._left.pop()
            try:
                self._ended.put((key, self._work(key)))
            except BaseException as failed:  # noqa: BLE001 - raised where it is waited for
                self._ended.put(failed)
                return

    def _drop(self) -> None:
        with self._taking:
            self._left.clear()
