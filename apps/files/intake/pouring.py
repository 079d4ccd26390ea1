"""Bytes as they come, into the store part by part: some parts on their way while the next one fills."""

import asyncio
import hashlib
from asyncio import Task
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from apps.files.media_types import HEAD_BYTES
from apps.files.stores.store import Part, Store, StoreUnavailable

# 2 GB are 256 of these, and an S3 takes ten thousand.
PART_BYTES = 8 * 1024 * 1024
# While the next one fills.
PARTS_UNDER_WAY = 2
# Of one part, attempts and waits included; then the store is taken for dead.
PART_SECONDS = 120.0


class Hash(Protocol):
    def update(self, data: bytes | bytearray, /) -> None: ...


class Buffers:
    """Used again and again: allocated anew they would be scattered over the heap, and never given back."""

    def __init__(self, most_idle: int) -> None:
        self._idle: list[bytearray] = []
        self._most_idle = most_idle

    def take(self) -> bytearray:
        return self._idle.pop() if self._idle else bytearray(PART_BYTES)

    def give_back(self, buffer: bytearray) -> None:
        if len(self._idle) < self._most_idle:
            self._idle.append(buffer)


class Pouring:
    """One file. `write` waits where the store is slower than the client, and so the client waits too."""

    def __init__(self, store: Store, key: str, threads: ThreadPoolExecutor, buffers: Buffers) -> None:
        self._store = store
        self._key = key
        self._threads = threads
        self._buffers = buffers
        self._hash = hashlib.sha256()
        self._hashed: Task[None] | None = None
        self._filling: bytearray | None = None
        self._filled = 0
        self._upload = ""
        self._under_way: deque[Task[Part]] = deque()
        self._parts: list[Part] = []
        self.size = 0
        self.head = b""

    async def write(self, data: bytes | bytearray | memoryview) -> None:
        view = memoryview(data)
        if len(self.head) < HEAD_BYTES:
            self.head += bytes(view[: HEAD_BYTES - len(self.head)])
        self.size += len(view)
        while view:
            if self._filling is None:
                self._filling = self._buffers.take()
            room = PART_BYTES - self._filled
            taken = min(room, len(view))
            self._filling[self._filled : self._filled + taken] = view[:taken]
            self._filled += taken
            view = view[taken:]
            if self._filled == PART_BYTES:
                await self._send_part()

    async def finish(self) -> str:
        """The SHA-256 of all of it. Whatever fits into one part is an object put whole."""
        if self._upload:
            if self._filled:
                await self._send_part()
            while self._under_way:
                self._parts.append(await self._under_way.popleft())
            await self._in_thread(self._store.finish, self._key, self._upload, self._parts)
        else:
            content = bytes(memoryview(self._filling)[: self._filled]) if self._filling is not None else b""
            self._hash.update(content)
            await self._in_thread(self._store.put, self._key, content)
        self._give_back()
        if self._hashed is not None:
            await self._hashed
        return self._hash.hexdigest()

    async def stop(self) -> None:
        """What is on its way is let go; what arrived is removed by whoever aborts the upload."""
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)
        self._under_way.clear()
        if self._hashed is not None:
            await asyncio.gather(self._hashed, return_exceptions=True)

    async def _send_part(self) -> None:
        if not self._upload:
            self._upload = await self._in_thread(self._store.begin, self._key)
        while len(self._under_way) >= PARTS_UNDER_WAY:
            self._parts.append(await self._under_way.popleft())
        assert self._filling is not None
        buffer, length = self._filling, self._filled
        self._filling, self._filled = None, 0
        content = buffer if length == PART_BYTES else bytearray(memoryview(buffer)[:length])
        number = len(self._parts) + len(self._under_way) + 1
        self._hashed = asyncio.create_task(self._hash_after(self._hashed, content))
        self._under_way.append(asyncio.create_task(self._put(number, buffer, content, self._hashed)))

    async def _hash_after(self, previous: Task[None] | None, content: bytearray) -> None:
        if previous is not None:
            await previous
        await self._in_thread(self._hash.update, content)

    async def _put(self, number: int, buffer: bytearray, content: bytearray, hashed: Task[None]) -> Part:
        part = await self._in_thread(self._store.put_part, self._key, self._upload, number, content)
        await hashed
        # Only now: after a failure some thread may still be reading it.
        self._buffers.give_back(buffer)
        return part

    def _give_back(self) -> None:
        if self._filling is not None:
            self._buffers.give_back(self._filling)
            self._filling = None

    async def _in_thread[**P, T](self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(PART_SECONDS):
                return await loop.run_in_executor(self._threads, lambda: work(*args, **kwargs))
        except TimeoutError as error:
            raise StoreUnavailable("The storage is too slow.") from error
