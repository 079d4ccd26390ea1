"""Every byte of an object, once: how many there are, and their SHA-256."""

import hashlib
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from apps.files.media_types import HEAD_BYTES
from apps.files.stores import store

# One stream alone is slow at most stores, and each request costs something. What is under way is in memory.
RANGE_BYTES = 32 * 1024 * 1024
RANGES_AT_ONCE = 2


@dataclass(frozen=True, slots=True)
class Found:
    size: int
    sha256: str
    parts_sha256: str
    head: bytes


def read_through(key: str, size: int, part_size: int | None = None) -> Found:
    """`size` is what is expected. Hashed as a whole, and part by part where a size of parts is given."""
    whole, head, found = hashlib.sha256(), bytearray(), 0
    parts = PartDigests(part_size) if part_size else None
    for piece in _pieces(key, size):
        found += len(piece)
        if len(head) < HEAD_BYTES:
            head += piece[: HEAD_BYTES - len(head)]
        whole.update(piece)
        if parts is not None:
            parts.update(piece)
    return Found(found, whole.hexdigest(), parts.hexdigest() if parts else "", bytes(head))


def _pieces(key: str, size: int) -> Iterator[bytes]:
    """In order, however they come; and one byte more, where there is one."""

    def read(start: int) -> list[bytes]:
        return list(store().read(key, start, min(start + RANGE_BYTES, size + 1)))

    under_way: deque[Future[list[bytes]]] = deque()
    with ThreadPoolExecutor(RANGES_AT_ONCE, thread_name_prefix="read") as readers:
        try:
            for start in range(0, size + 1, RANGE_BYTES):
                if len(under_way) == RANGES_AT_ONCE:
                    yield from under_way.popleft().result()
                under_way.append(readers.submit(read, start))
            while under_way:
                yield from under_way.popleft().result()
        finally:
            for waiting in under_way:
                waiting.cancel()


class PartDigests:
    """SHA-256 of the SHA-256s of parts. Of nothing at all: of one empty part."""

    def __init__(self, part_size: int) -> None:
        self._part_size = part_size
        self._digests = hashlib.sha256()
        self._part = hashlib.sha256()
        self._in_part = 0
        self._parts = 0

    def update(self, piece: bytes) -> None:
        view = memoryview(piece)
        while view:
            taken = view[: self._part_size - self._in_part]
            self._part.update(taken)
            self._in_part += len(taken)
            view = view[len(taken) :]
            if self._in_part == self._part_size:
                self._end_part()

    def hexdigest(self) -> str:
        if self._in_part or not self._parts:
            self._end_part()
        return self._digests.hexdigest()

    def _end_part(self) -> None:
        self._digests.update(self._part.digest())
        self._part = hashlib.sha256()
        self._in_part = 0
        self._parts += 1
