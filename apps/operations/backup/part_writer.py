"""A file to write to, of which one part goes to the storage while the next one fills."""

import hashlib
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

from apps.files.stores.store import MOST_PARTS, Part, Store

SMALLEST = 16 * 1024 * 1024
_AT_ONCE = 2


def part_bytes(most_bytes: int) -> int:
    """All parts are of one size, which some storages demand, and there are never too many of them."""
    return max(SMALLEST, -(-most_bytes // (MOST_PARTS - 1)))


class PartWriter:
    """In memory are as many parts as are on their way, and one. Left without `finish`, nothing stays."""

    def __init__(self, store: Store, key: str, size: int) -> None:
        self._store, self._key, self._size = store, key, size
        self._filling = bytearray()
        self._on_their_way: deque[Future[Part]] = deque()
        self._parts: list[Part] = []
        self._number = 0
        self._hash = hashlib.sha256()
        self._is_finished = False
        self.bytes = 0

    def __enter__(self) -> Self:
        self._upload = self._store.begin(self._key)
        self._pool = ThreadPoolExecutor(_AT_ONCE, "backup-part")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=True)
        if not self._is_finished:
            self._store.abort(self._key, self._upload)

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    def write(self, piece: bytes) -> int:
        self._hash.update(piece)
        self.bytes += len(piece)
        self._filling += piece
        if len(self._filling) >= self._size:
            self._send(self._filling[: self._size])
            del self._filling[: self._size]
        return len(piece)

    def flush(self) -> None:
        """A part goes when it is full."""

    def finish(self) -> None:
        if self._filling:
            self._send(self._filling)
        while self._on_their_way:
            self._parts.append(self._on_their_way.popleft().result())
        self._store.finish(self._key, self._upload, self._parts)
        self._is_finished = True

    def _send(self, content: bytearray) -> None:
        if len(self._on_their_way) == _AT_ONCE:
            self._parts.append(self._on_their_way.popleft().result())
        self._number += 1
        self._on_their_way.append(
            self._pool.submit(self._store.put_part, self._key, self._upload, self._number, content)
        )
