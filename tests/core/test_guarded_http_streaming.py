"""Bodies that are written as fast as they are read. Every server here is a real one."""

import asyncio
import hashlib
import socket
import threading
from collections.abc import AsyncGenerator
from dataclasses import dataclass

import pytest

from apps.core.guarded_http import NeverWritten, PerhapsWritten, StreamedBody
from tests.core.test_guarded_http import (
    OK,
    Certified,
    Names,
    Peer,
    Script,
    answering,
    client,
    hooks_example,
    names,
    reset_at_once,
    serving,
    stay_silent,
)

__all__ = ["hooks_example", "names"]

PIECE = 256 * 1024
MEGABYTE = 1024 * 1024


class Broken(Exception):
    """The source of a body failed."""


@dataclass
class Source:
    """Pieces of a body, of which it is known how many were asked for."""

    size: int
    breaks_after: int | None = None
    taken: int = 0
    is_closed: bool = False

    @property
    def body(self) -> StreamedBody:
        return StreamedBody(self.size, self.pieces)

    async def pieces(self) -> AsyncGenerator[bytes]:
        try:
            while self.taken < self.size:
                if self.breaks_after is not None and self.taken >= self.breaks_after:
                    raise Broken
                piece = piece_at(self.taken)[: self.size - self.taken]
                self.taken += len(piece)
                yield piece
        finally:
            self.is_closed = True


def piece_at(start: int) -> bytes:
    """Each is another."""
    return start.to_bytes(8) * (PIECE // 8)


def whole(size: int) -> bytes:
    return b"".join(piece_at(start) for start in range(0, size, PIECE))[:size]


async def read_head(peer: Peer) -> bytes:
    return await peer.reader.readuntil(b"\r\n\r\n")


async def test_streamed_body_arrives_whole_and_its_connection_is_kept() -> None:
    source = Source(5 * MEGABYTE + 7)
    async with serving() as served, client() as guarded:
        for _ in range(2):
            source.taken = 0
            answer = await guarded.request("POST", served.url, headers={"X-A": "b"}, body=source.body)
            assert (answer.status, answer.body) == (200, b"ok")
    assert served.connections == 1
    for request in served.requests:
        head, _, body = request.partition(b"\r\n\r\n")
        assert f"Content-Length: {source.size}".encode() in head
        assert hashlib.sha256(body).digest() == hashlib.sha256(whole(source.size)).digest()


async def test_streamed_body_arrives_whole_over_tls(names: Names, hooks_example: Certified) -> None:
    names.answers["hooks.example"] = [["127.0.0.1"]]
    source = Source(3 * MEGABYTE)
    async with serving(tls=hooks_example.server) as served, client(tls=hooks_example.trust) as guarded:
        answer = await guarded.request("POST", f"https://hooks.example:{served.port}", body=source.body)
    assert answer.status == 200
    assert served.requests[0].endswith(whole(source.size))


async def test_body_is_taken_no_faster_than_it_is_read() -> None:
    async def read_nothing_more(peer: Peer) -> None:
        await read_head(peer)
        await stay_silent(peer)

    source = Source(200 * MEGABYTE)
    async with serving(read_nothing_more) as served, client(timeout=0.5) as guarded:
        with pytest.raises(PerhapsWritten) as failed:
            await guarded.request("POST", served.url, body=source.body)
    assert str(failed.value).endswith(": timed out")
    # What the system keeps for both sides, and a piece or two of ours.
    assert source.taken < 32 * MEGABYTE
    assert source.is_closed


async def test_answer_that_comes_before_the_end_counts_and_ends_the_writing() -> None:
    async def refuse(peer: Peer) -> None:
        await read_head(peer)
        await peer.say(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        await stay_silent(peer)

    source = Source(200 * MEGABYTE)
    async with serving(refuse) as served, client() as guarded:
        assert (await guarded.request("POST", served.url, body=source.body)).status == 413
        assert source.taken < 32 * MEGABYTE
        assert source.is_closed
        # Where the next request would begin, nobody knows.
        assert (await guarded.request("GET", served.url)).status == 413
    assert served.connections == 2


async def test_connection_that_is_owed_the_rest_of_a_body_is_asked_nothing_else() -> None:
    async def answer_half(peer: Peer) -> None:
        await read_head(peer)
        if not owed:
            owed.append(await peer.reader.readexactly(10))
        await peer.say(OK)
        await stay_silent(peer)

    async def half_and_no_more() -> AsyncGenerator[bytes]:
        yield b"x" * 10
        while True:  # until the answer is there
            await asyncio.sleep(0.001)
            yield b""

    owed: list[bytes] = []
    async with serving(answer_half) as served, client() as guarded:
        await guarded.request("POST", served.url, body=StreamedBody(20, half_and_no_more))
        await guarded.request("GET", served.url)
    assert (owed, served.connections) == ([b"x" * 10], 2)


@pytest.mark.parametrize("bytes_read", [0, 300_000])
async def test_connection_broken_in_the_middle_of_a_body_is_an_unknown_outcome(bytes_read: int) -> None:
    async def read_a_little(peer: Peer) -> None:
        await read_head(peer)
        await peer.reader.readexactly(bytes_read)
        await reset_at_once(peer)

    source = Source(50 * MEGABYTE)
    async with serving(read_a_little) as served, client() as guarded:
        with pytest.raises(PerhapsWritten):
            await guarded.request("POST", served.url, body=source.body)
    assert source.is_closed
    assert source.taken < source.size


@pytest.mark.parametrize("script", [None, answering(OK * 2)])
async def test_body_whose_source_fails_is_not_ended_and_its_connection_is(script: Script | None) -> None:
    source = Source(10 * PIECE, breaks_after=2 * PIECE)
    async with serving(script) as served, client() as guarded:
        with pytest.raises(Broken):
            await guarded.request("POST", served.url, body=source.body)
        assert served.requests == []
        await guarded.request("GET", served.url)
    assert served.connections == 2


@pytest.mark.parametrize("said", [3 * PIECE - 1, 3 * PIECE + 1])
async def test_body_of_another_length_than_was_said_is_not_ended(said: int) -> None:
    source = Source(3 * PIECE)
    async with serving() as served, client() as guarded:
        with pytest.raises(ValueError, match="as long as was said"):
            await guarded.request("POST", served.url, body=StreamedBody(said, source.pieces))
    assert served.requests == []
    assert source.is_closed


async def test_streamed_body_may_take_longer_than_other_calls() -> None:
    async def read_slowly(peer: Peer) -> None:
        head = await read_head(peer)
        for _ in range(3):
            await asyncio.sleep(0.15)
            await peer.reader.readexactly(MEGABYTE)
        served.requests.append(head)
        await peer.say(OK)

    async with serving(read_slowly) as served, client(timeout=0.3) as guarded:
        answer = await guarded.request("POST", served.url, body=Source(3 * MEGABYTE).body, seconds=5.0)
        assert answer.status == 200
        with pytest.raises(PerhapsWritten):
            await guarded.request("POST", served.url, body=Source(3 * MEGABYTE).body)
    assert len(served.requests) == 1


async def test_connecting_may_not_take_longer_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: asked.wait(5) and [])
    source = Source(PIECE)
    try:
        async with client(timeout=0.1) as guarded:
            with pytest.raises(NeverWritten):
                await guarded.request("POST", "http://slow.example", body=source.body, seconds=30.0)
    finally:
        asked.set()
    assert source.taken == 0
