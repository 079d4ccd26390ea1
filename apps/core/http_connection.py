"""One connection to an HTTP/1.1 server that is asked one thing at a time.

Small, because what calls APIs needs little of HTTP: no redirects, cookies, proxies, compression or pipelining. The
parser is Node's (llhttp, by way of httptools); what is here decides how much is read and whether to go on.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import cast

import httptools

# More than any API sends us before its answer proper begins.
MOST_HEAD_BYTES = 32 * 1024
SWITCHED_PROTOCOL = 101


class ConnectionBroke(Exception):
    """The other side hung up, or stopped making sense, before the head of its answer was there."""


@dataclass(frozen=True, slots=True)
class StreamedBody:
    """What is too large to be held in memory: pieces, of a length that is known before any of them is read."""

    size: int
    pieces: Callable[[], AsyncGenerator[bytes]]


class HttpConnection(asyncio.Protocol):
    """Once asked, whatever came of the answer stays in `status`, `headers` and `body`, also when it broke off."""

    def __init__(self, most_body_bytes: int) -> None:
        self._most_body_bytes = most_body_bytes
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._answered: asyncio.Future[None] | None = None
        # Set unless the other side reads more slowly than we write.
        self._may_go_on = asyncio.Event()
        self._may_go_on.set()
        self._forget()
        self.idle_since = 0.0
        self.is_asked = False

    def _forget(self) -> None:
        # 0 until the head of the answer is there.
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = bytearray()
        self.is_whole = False
        self._head_bytes = 0
        self._ends_by_itself = False
        self._is_written = False
        self._is_spoilt = False
        self._problem = ""

    async def ask(self, request: bytes, rest: StreamedBody | None = None) -> None:
        """Until the answer is whole, or as whole as it gets. Raises ConnectionBroke when there is none at all, and
        whatever keeps the rest of the request from being read."""
        assert self._transport is not None
        self._forget()
        self._answered = asyncio.get_running_loop().create_future()
        self.is_asked = True
        self._transport.write(request)
        try:
            self._is_written = rest is None or await self._write(rest)
            await self._answered
        finally:
            self._answered = None
        if not self.status:
            raise ConnectionBroke(self._problem)

    async def _write(self, body: StreamedBody) -> bool:
        """As fast as the other side reads. False where it answered before all of it was written: it has enough."""
        assert self._transport is not None
        assert self._answered is not None
        left = body.size
        async with aclosing(body.pieces()) as pieces:
            async for piece in pieces:
                left -= len(piece)
                if left < 0:
                    break
                await self._may_go_on.wait()
                if self._answered.done():
                    return False
                self._transport.write(piece)
        if left:
            raise ValueError("the body is not as long as was said")
        return True

    @property
    def is_open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    @property
    def may_be_asked_again(self) -> bool:
        """Only after an answer that leaves no doubt about where the next one begins."""
        if not (self.is_open and self.is_whole and self._is_written) or self._is_spoilt:
            return False
        assert self._transport is not None
        return self._transport.get_write_buffer_size() == 0

    def hang_up(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    # What the event loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are not, but behave so

    def data_received(self, data: bytes) -> None:
        if self._answered is None or self._answered.done():
            # Nobody asked: it would be taken for the answer to whatever is asked next.
            self.hang_up()
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._is_spoilt = True
        except httptools.HttpParserError:
            self._end("the answer is not HTTP")
            return
        if not self.status:
            self._head_bytes += len(data)
            if self._head_bytes > MOST_HEAD_BYTES:
                self._end("the answer is not HTTP")

    def pause_writing(self) -> None:
        if self._answered is None or not self._answered.done():
            self._may_go_on.clear()

    def resume_writing(self) -> None:
        self._may_go_on.set()

    def eof_received(self) -> None:
        # Without a length, this is how an answer ends.
        self.is_whole = self.is_whole or (self.status != 0 and not self._ends_by_itself)
        self._end("the connection broke")

    def connection_lost(self, _error: Exception | None) -> None:
        self._end("the connection broke")

    def _end(self, problem: str) -> None:
        """Nothing more is expected of this connection."""
        self._is_spoilt = True
        self._may_go_on.set()
        self.hang_up()
        if self._answered is not None and not self._answered.done():
            self._problem = problem
            self._answered.set_result(None)

    # What the parser calls

    def on_message_begin(self) -> None:
        if self.is_whole:
            self._is_spoilt = True

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.status or self.is_whole:
            return  # a trailer
        self._head_bytes += len(name) + len(value)
        if self._head_bytes > MOST_HEAD_BYTES:
            raise OverflowError
        self._ends_by_itself |= name.lower() in {b"content-length", b"transfer-encoding"}
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if not 100 <= status <= 599:
            raise ValueError
        if status >= 200 or status == SWITCHED_PROTOCOL:
            self.status = self.status or status
        else:
            self.headers.clear()  # of an announcement; the answer follows

    def on_body(self, chunk: bytes) -> None:
        if self.is_whole:
            return
        room = self._most_body_bytes - len(self.body)
        self.body += chunk[:room]
        if len(chunk) > room:
            self._end("the answer is too long")

    def on_message_complete(self) -> None:
        if self.status and self._answered is not None and not self._answered.done():
            self.is_whole = True
            self._is_spoilt |= not self._parser.should_keep_alive()
            self._may_go_on.set()
            self._answered.set_result(None)
