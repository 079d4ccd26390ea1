"""Thousands of clients in one process, cheap enough not to be what is measured.

    python -m bench.crowd < PLAN

The plan is one line of JSON: the address, the first frames of each client, and whether they come back. After
"ready" every further line is answered with what each has seen: its events, its gaps, and when it came in. They
come back as the browser SDK does: after a random wait up to a bound that doubles from 0.5 to 20 s.
"""

import asyncio
import random
import re
import struct
import sys
import time
from typing import Any, cast

import orjson
import uvloop

_EVENT_ID = re.compile(rb'"event_id":(\d+)')
_OFFSET = re.compile(rb'"offset":"([^"]+)"')
_TEXT, _CLOSE, _PING, _PONG = 1, 8, 9, 10
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 20.0
# At first; later they come when they like.
_CONNECTING_AT_ONCE = 100


class Client(asyncio.Protocol):
    def __init__(self, plan: dict[str, Any], frames: list[dict[str, Any]]) -> None:
        self._plan, self._frames = plan, frames
        self.seen: list[int] = []
        self.gaps = 0
        self.back_at = 0.0
        self._since: str | None = None
        self._answers = 0
        self._failures = 0
        self.is_in = asyncio.Event()

    async def connect(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.create_connection(lambda: self, self._plan["host"], self._plan["port"])
        except OSError:
            self._come_back()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._buffer = b""
        self._is_open = False
        self._answers = 0
        self._transport.write(
            b"GET /ws/status HTTP/1.1\r\nHost: %b:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
            % (self._plan["host"].encode(), self._plan["port"])
        )

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer + data if self._buffer else data
        if not self._is_open:
            _, end, buffer = buffer.partition(b"\r\n\r\n")
            if not end:
                self._buffer = data
                return
            self._is_open = True
            for frame in self._frames:
                resumed = (
                    frame | {"since": self._since} if self._since and "subscribe" in frame.values() else frame
                )
                self._transport.write(_masked(orjson.dumps(resumed)))
        position = 0
        while (found := _frame(buffer, position)) is not None:
            kind, payload, position = found
            if kind == _TEXT:
                self._read(payload)
            elif kind == _PING:
                self._transport.write(_masked(payload, _PONG))
            elif kind == _CLOSE:
                self._transport.close()
        self._buffer = buffer[position:]

    def connection_lost(self, _error: Exception | None) -> None:
        self.is_in.clear()
        if self._plan["comes_back"]:
            self._come_back()

    def _read(self, payload: bytes) -> None:
        event = _EVENT_ID.search(payload)
        if event:
            self.seen.append(int(event[1]))
            if offset := _OFFSET.search(payload):
                self._since = offset[1].decode()
            return
        said = orjson.loads(payload) if payload[:1] == b"{" else {}
        self.gaps += said.get("type") == "gap"
        if said.get("type") == "subscribed" and self._since is None:
            self._since = said["offset"]
        self._answers += 1
        if self._answers == len(self._frames):
            self._failures = 0
            self.back_at = time.monotonic()
            self.is_in.set()

    def _come_back(self) -> None:
        bound = min(_LONGEST_WAIT, _FIRST_WAIT * 2**self._failures)
        self._failures += 1
        loop = asyncio.get_running_loop()
        loop.call_later(random.uniform(0, bound), lambda: loop.create_task(self.connect()))  # noqa: S311


def _frame(buffer: bytes, start: int) -> tuple[int, bytes, int] | None:
    """The kind of a server's next frame, what is in it, and where it ends."""
    if len(buffer) < start + 2:
        return None
    length, head = buffer[start + 1], 2
    if length == 126:
        if len(buffer) < start + 4:
            return None
        (length,), head = struct.unpack_from("!H", buffer, start + 2), 4
    elif length == 127:
        if len(buffer) < start + 10:
            return None
        (length,), head = struct.unpack_from("!Q", buffer, start + 2), 10
    end = start + head + length
    return (buffer[start] & 0x0F, buffer[start + head : end], end) if len(buffer) >= end else None


def _masked(payload: bytes, kind: int = 1) -> bytes:
    """With a mask of zeros, which changes nothing."""
    length = bytes([0x80 | len(payload)]) if len(payload) < 126 else struct.pack("!BH", 0x80 | 126, len(payload))
    return bytes([0x80 | kind]) + length + b"\0\0\0\0" + payload


async def main() -> None:
    plan = orjson.loads(await asyncio.to_thread(sys.stdin.readline))
    clients = [Client(plan, frames) for frames in plan["clients"]]
    for start in range(0, len(clients), _CONNECTING_AT_ONCE):
        some = clients[start : start + _CONNECTING_AT_ONCE]
        await asyncio.gather(*(client.connect() for client in some))
        await asyncio.gather(*(client.is_in.wait() for client in some))
    print("ready", flush=True)
    while question := (await asyncio.to_thread(sys.stdin.readline)).strip():
        print(orjson.dumps(_told(clients, question)).decode(), flush=True)


def _told(clients: list[Client], question: str) -> Any:
    if question == "count":
        return {
            "frames": sum(len(client.seen) for client in clients),
            "in": sum(client.is_in.is_set() for client in clients),
        }
    return [
        {"seen": client.seen, "gaps": client.gaps, "back_at": client.back_at, "is_in": client.is_in.is_set()}
        for client in clients
    ]


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
