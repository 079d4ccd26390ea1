"""An HTTP load that costs next to nothing, for it shares the cores: kept connections, prepared bytes."""

import asyncio
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass

import uvloop

from bench.figure import CannotMeasure
from local.ports import HOST

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes


def post(path: str, body: bytes, headers: str = "") -> bytes:
    """A request. `headers`: lines, each with its end."""
    return (
        f"POST {path} HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n{headers}\r\n"
    ).encode() + body


class Client:
    """As many connections as there are requests at once, kept."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def send(self, request: bytes) -> Answer:
        reader, writer = self._idle.pop() if self._idle else await asyncio.open_connection(HOST, self._port)
        writer.write(request)
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = _LENGTH.search(head)
            body = await reader.readexactly(int(length[1])) if length else b""
        except (EOFError, OSError) as error:
            raise CannotMeasure(f"the web process broke the connection: {error}") from error
        self._idle.append((reader, writer))
        return Answer(int(head[9:12]), body)

    def close(self) -> None:
        for _, writer in self._idle:
            writer.close()


def requests_per_second(port: int, requests: Iterator[bytes], connections: int, seconds: float) -> float:
    """For so long, each connection sending again when it has its answer. Every answer must be a 2xx."""

    async def run() -> float:
        client = Client(port)
        count = 0
        ends = time.monotonic() + seconds

        async def one_connection() -> None:
            nonlocal count
            while time.monotonic() < ends:
                answer = await client.send(next(requests))
                if not 200 <= answer.status < 300:
                    raise CannotMeasure(f"the answer is {answer.status}: {answer.body[:300]!r}")
                count += 1

        started = time.monotonic()
        try:
            await asyncio.gather(*(one_connection() for _ in range(connections)))
        finally:
            client.close()
        return count / (time.monotonic() - started)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(run())
