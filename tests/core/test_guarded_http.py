"""What a stranger's URL, name server or web server can make our workers do. Every server here is a real one."""

import asyncio
import gzip
import re
import socket
import ssl
import struct
import threading
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from apps.core.addresses import Network
from apps.core.clock import now
from apps.core.guarded_http import Answer, CallFailed, GuardedClient, NeverWritten, PerhapsWritten, TargetRefused

LOOPBACK: list[Network] = [ip_network("127.0.0.0/8")]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@dataclass
class Served:
    """What one server saw."""

    port: int = 0
    connections: int = 0
    requests: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@dataclass
class Peer:
    """The server's end of one connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    served: Served

    async def listen(self) -> None:
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        self.served.requests.append(head + await self.reader.readexactly(int(length[1]) if length else 0))

    async def say(self, words: bytes) -> None:
        self.writer.write(words)
        await self.writer.drain()


type Script = Callable[[Peer], Awaitable[None]]


def answering(answer: bytes = OK) -> Script:
    async def script(peer: Peer) -> None:
        while True:
            await peer.listen()
            await peer.say(answer)

    return script


def last_words(words: bytes) -> Script:
    async def script(peer: Peer) -> None:
        await peer.listen()
        await peer.say(words)

    return script


def drip(first: bytes, each: bytes) -> Script:
    async def script(peer: Peer) -> None:
        await peer.listen()
        await peer.say(first)
        while True:
            await asyncio.sleep(0.02)
            await peer.say(each)

    return script


async def reset_after_listening(peer: Peer) -> None:
    await peer.listen()
    await reset_at_once(peer)


async def reset_at_once(peer: Peer) -> None:
    linger = struct.pack("ii", 1, 0)  # close() then sends RST
    peer.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    peer.writer.transport.abort()


async def hang_up_at_once(peer: Peer) -> None:
    peer.writer.close()


async def stay_silent(peer: Peer) -> None:
    await asyncio.sleep(60)


@asynccontextmanager
async def serving(script: Script | None = None, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[Served]:
    served = Served()
    conversations: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def run(peer: Peer) -> None:
        with suppress(OSError, EOFError):  # the client hung up
            await (script or answering())(peer)
        peer.writer.close()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.connections += 1
        conversations[asyncio.create_task(run(Peer(reader, writer, served)))] = writer

    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=tls, backlog=256)
    served.port = server.sockets[0].getsockname()[1]
    try:
        yield served
    finally:
        for _ in range(5):
            await asyncio.sleep(0)  # who has just knocked becomes a connection, which can be closed
        server.close()
        for conversation, writer in conversations.items():
            conversation.cancel()
            writer.transport.abort()
        await asyncio.gather(*conversations, return_exceptions=True)
        await server.wait_closed()


def client(**options: Any) -> GuardedClient:
    return GuardedClient(**{"allowed_networks": LOOPBACK, "allow_http": True, "timeout": 5.0, **options})


@dataclass
class Names:
    """A name server whose answers may differ from one question to the next."""

    answers: dict[str, list[list[str]]] = field(default_factory=dict)
    questions: list[str] = field(default_factory=list)

    def getaddrinfo(self, host: str, port: int, *_: object, **__: object) -> list[tuple[Any, ...]]:
        self.questions.append(host)
        turns = self.answers.get(host)
        if turns is None:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        addresses = turns.pop(0) if len(turns) > 1 else turns[0]
        return [
            (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (address, port, 0, 0))
            if ":" in address
            else (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
            for address in addresses
        ]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    names = Names()
    monkeypatch.setattr(socket, "getaddrinfo", names.getaddrinfo)
    return names


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Every address that a socket was connected to."""
    connect, addresses = socket.socket.connect, []

    def noting(self: socket.socket, address: tuple[str, int]) -> None:
        addresses.append(address[:2])
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", noting)
    return addresses


# Where a call may go


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "017700000001", "127.1", "127.0.0.1.",
        "127.0.0.1..", "0", "0.0.0.0", "１２７.0.0.1", "127。0。0。1", "①②⑦.⓪.⓪.①", "%31%32%37.0.0.1",
        "user@127.0.0.1", "example.com@127.0.0.1", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]",
        "[::127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[2001:0:808:808:0:0:80ff:fffe]",
        "[fe80::1%25lo]", "[::1%25lo]", "169.254.169.254", "[fd00:ec2::254]", "[::ffff:169.254.169.254]",
        "10.0.0.1", "192.168.0.1", "100.64.0.1", "224.0.0.1", "255.255.255.255",
    ],
)  # fmt: skip
async def test_hostile_host_is_refused_before_any_connection(
    host: str, names: Names, connected: list[tuple[str, int]]
) -> None:
    async with serving() as served, client(allowed_networks=()) as guarded:
        with pytest.raises(TargetRefused):
            await guarded.request("POST", f"http://{host}:{served.port}/", body=b"x")
    assert (names.questions, connected) == ([], [])


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.5",
        "169.254.169.254",
        "100.64.0.1",
        "::1",
        "fd00:ec2::254",
        "::ffff:10.0.0.5",
        "2002:a00:5::",
    ],
)
async def test_name_of_an_internal_address_is_refused(
    address: str, names: Names, connected: list[tuple[str, int]]
) -> None:
    names.answers["innocent.example"] = [[address]]
    async with client(allowed_networks=()) as guarded:
        with pytest.raises(TargetRefused, match="the URL's host leads to") as refusal:
            await guarded.request("POST", "https://innocent.example/", body=b"x")
    assert connected == []
    assert address not in str(refusal.value), "our internal DNS is none of a tenant's business"


@pytest.mark.parametrize("addresses", [["127.0.0.1", "10.0.0.5"], ["10.0.0.5", "127.0.0.1"], ["127.0.0.1", "::1"]])
async def test_name_with_one_internal_address_among_good_ones_is_refused(
    addresses: list[str], names: Names, connected: list[tuple[str, int]]
) -> None:
    names.answers["mixed.example"] = [addresses]
    async with serving() as served, client() as guarded:
        with pytest.raises(TargetRefused):
            await guarded.request("POST", f"http://mixed.example:{served.port}/")
    assert connected == []


async def test_name_is_resolved_once_and_its_address_is_the_one_called(
    names: Names, connected: list[tuple[str, int]]
) -> None:
    names.answers["rebinding.example"] = [["127.0.0.1"], ["10.0.0.5"]]
    async with serving() as served, client() as guarded:
        answer = await guarded.request("POST", f"http://rebinding.example:{served.port}/hook?a=%2F", body=b"x")
    assert answer.status == 200
    assert names.questions == ["rebinding.example"]
    assert connected == [("127.0.0.1", served.port)]
    assert served.requests[0].startswith(b"POST /hook?a=%2F HTTP/1.1\r\n")
    assert f"\r\nHost: rebinding.example:{served.port}\r\n".encode() in served.requests[0]


async def test_name_that_turns_internal_is_refused_on_its_next_connection(names: Names) -> None:
    names.answers["turning.example"] = [["127.0.0.1"], ["10.0.0.5"]]
    async with serving() as served:
        url = f"http://turning.example:{served.port}/"
        async with client() as guarded:
            assert (await guarded.request("GET", url)).status == 200
        async with client() as guarded:
            with pytest.raises(TargetRefused):
                await guarded.request("GET", url)
    assert len(served.requests) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirect_is_returned_and_not_followed(status: int, connected: list[tuple[str, int]]) -> None:
    location = "http://169.254.169.254/latest/meta-data/"
    redirect = f"HTTP/1.1 {status} Moved\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()
    async with serving(answering(redirect)) as served, client() as guarded:
        answer = await guarded.request("POST", served.url, body=b"x")
    assert (answer.status, answer.headers["location"]) == (status, location)
    assert connected == [("127.0.0.1", served.port)]


async def test_proxy_and_netrc_of_the_environment_are_ignored(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login us password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    async with serving() as proxy, serving() as served:
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
            monkeypatch.setenv(name.upper(), proxy.url)
        async with client() as guarded:
            await guarded.request("POST", served.url, body=b"x")
    assert (proxy.connections, served.connections) == (0, 1)
    assert b"authorization" not in served.requests[0].lower()


async def test_plain_http_is_refused_unless_allowed(connected: list[tuple[str, int]]) -> None:
    async with serving() as served, GuardedClient(LOOPBACK) as guarded:
        with pytest.raises(TargetRefused, match="not https"):
            await guarded.request("GET", served.url)
    assert connected == []


# What a call carries


async def test_request_carries_its_method_headers_and_body() -> None:
    async with serving() as served, client() as guarded:
        headers = {"webhook-id": "msg_1", "Content-Type": "application/json"}
        answer = await guarded.request("PUT", served.url + "/a", headers=headers, body=b'{"a": 1}')
    head, _, body = served.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"PUT /a HTTP/1.1\r\n")
    assert b"\r\nwebhook-id: msg_1\r\n" in head
    assert b"\r\nAccept-Encoding: identity\r\n" in head
    assert body == b'{"a": 1}'
    assert answer == Answer(200, answer.headers, b"ok", truncated=False)


async def test_cookies_are_not_sent_back() -> None:
    cookie = b"HTTP/1.1 200 OK\r\nSet-Cookie: id=1; Path=/\r\nContent-Length: 0\r\n\r\n"
    async with serving(answering(cookie)) as served, client() as guarded:
        for _ in range(2):
            await guarded.request("GET", served.url)
    assert len(served.requests) == 2
    assert b"cookie:" not in served.requests[1].lower()


async def test_calls_to_one_target_share_a_connection(names: Names) -> None:
    names.answers["good.example"] = [["127.0.0.1"]]
    async with serving() as served, client() as guarded:
        for _ in range(3):
            await guarded.request("POST", f"http://good.example:{served.port}/", body=b"x")
    assert (len(served.requests), served.connections, len(names.questions)) == (3, 1, 1)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Host", "internal"), ("content-length", "0"), ("Transfer-Encoding", "chunked"), ("Connection", "upgrade"),
        ("Expect", "100-continue"), ("Accept-Encoding", "gzip"), ("X-A", "1\r\nX-B: 2"),
        ("X-A", "1\nHost: internal"), ("X-A\r\nX-B", "1"), ("X-A", "\x00"), ("", "1"), ("X A", "1"), ("X-A:", "1"),
        ("X-Ä", "1"),
    ],
)  # fmt: skip
async def test_header_that_could_smuggle_is_refused(
    name: str, value: str, connected: list[tuple[str, int]]
) -> None:
    async with serving() as served, client() as guarded:
        with pytest.raises(ValueError, match="the header"):
            await guarded.request("POST", served.url, headers={name: value})
    assert connected == []


@pytest.mark.parametrize("method", ["CONNECT", "TRACE", "get", "GET / HTTP/1.1\r\nX: ", ""])
async def test_method_outside_the_usual_ones_is_refused(method: str) -> None:
    async with client() as guarded:
        with pytest.raises(ValueError, match="no method"):
            await guarded.request(method, "http://127.0.0.1/")


# What an answer can do to us


@pytest.mark.parametrize("size", [0, 1, 999, 1000, 1001, 200_000])
async def test_answer_is_cut_at_the_cap(size: int) -> None:
    answer = b"HTTP/1.1 202 Accepted\r\nContent-Length: %d\r\n\r\n" % size + b"x" * size
    async with serving(answering(answer)) as served, client(max_answer_bytes=1000) as guarded:
        got = await guarded.request("POST", served.url)
    assert (got.status, got.body, got.truncated) == (202, b"x" * min(size, 1000), size > 1000)


@pytest.mark.parametrize(
    "framing", [b"Transfer-Encoding: chunked", b"Connection: close", b"Content-Length: 99999999"]
)
async def test_endless_answer_is_cut_and_its_connection_closed(framing: bytes) -> None:
    hung_up = asyncio.Event()

    async def flood(peer: Peer) -> None:
        await peer.listen()
        await peer.say(b"HTTP/1.1 200 OK\r\n" + framing + b"\r\n\r\n")
        try:
            while True:
                await peer.say(b"1000\r\n" + b"x" * 4096 + b"\r\n" if b"chunked" in framing else b"x" * 4096)
        except OSError:
            hung_up.set()

    async with serving(flood) as served, client(max_answer_bytes=10_000) as guarded:
        answer = await guarded.request("POST", served.url)
        await asyncio.wait_for(hung_up.wait(), 2)
    assert (answer.status, answer.body, answer.truncated) == (200, b"x" * 10_000, True)


async def test_call_after_a_cut_answer_gets_its_own_answer() -> None:
    big = b"HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n" + b"x" * 3_000_000
    async with serving(answering(big)) as served, client(max_answer_bytes=10) as guarded:
        for _ in range(2):
            assert (await guarded.request("GET", served.url)).status == 200
    assert served.connections == 2


async def test_compressed_bomb_is_not_unpacked() -> None:
    packed = gzip.compress(bytes(20_000_000))
    answer = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed) + packed
    async with serving(answering(answer)) as served, client() as guarded:
        got = await guarded.request("GET", served.url)
    assert (got.body, got.truncated) == (packed, False)


async def test_dripping_body_ends_at_the_timeout_with_its_status() -> None:
    slow = drip(b"HTTP/1.1 410 Gone\r\nContent-Length: 9999\r\n\r\n", b"x")
    async with serving(slow) as served, client(timeout=0.5) as guarded, asyncio.timeout(4):
        answer = await guarded.request("POST", served.url)
    assert (answer.status, answer.truncated) == (410, True)
    assert 1 <= len(answer.body) < 50


async def test_dripping_head_ends_at_the_timeout_with_an_unknown_outcome() -> None:
    async with AsyncExitStack() as stack:
        served = [
            await stack.enter_async_context(serving(drip(first, each)))
            for first, each in (
                (b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n"),
                (b"HTTP/1.1 200 OK\r\nX-A: ", b"b"),
                (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
                (b"", b""),
            )
        ]
        guarded = await stack.enter_async_context(client(timeout=0.5))
        async with asyncio.timeout(4):
            calls = [guarded.request("POST", each.url) for each in served]
            outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [PerhapsWritten] * 4
    assert all(str(outcome).endswith(": timed out") for outcome in outcomes)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
    ],
)
async def test_answer_that_breaks_off_keeps_its_status(answer: bytes) -> None:
    async with serving(last_words(answer)) as served, client() as guarded:
        got = await guarded.request("POST", served.url)
    assert (got.status, got.body, got.truncated) == (200, b"half", True)


async def test_answer_that_turns_into_nonsense_keeps_its_status() -> None:
    async def script(peer: Peer) -> None:
        await peer.listen()
        await peer.say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n")
        await asyncio.sleep(0.05)
        await peer.say(b"nonsense\r\n")

    async with serving(script) as served, client(timeout=0.5) as guarded:
        got = await guarded.request("POST", served.url)
    assert (got.status, got.body, got.truncated) == (200, b"half", True)


async def test_answer_that_comes_before_the_body_was_read_counts() -> None:
    async def refuse(peer: Peer) -> None:
        await peer.reader.readuntil(b"\r\n\r\n")
        await peer.say(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        await stay_silent(peer)

    async with serving(refuse) as served, client() as guarded:
        assert (await guarded.request("POST", served.url, body=bytes(900_000))).status == 413


async def test_words_that_nobody_asked_for_are_not_taken_for_the_next_answer() -> None:
    async def say_more(peer: Peer) -> None:
        while True:
            await peer.listen()
            await peer.say(OK + b"HTTP/1.1 500 Not Asked\r\nContent-Length: 6\r\n\r\nbroken")

    async with serving(say_more) as served, client() as guarded:
        answers = [await guarded.request("POST", served.url, body=b"x") for _ in range(3)]
    assert [(answer.status, answer.body) for answer in answers] == [(200, b"ok")] * 3
    assert served.connections == 3


async def test_idle_connection_that_speaks_is_hung_up() -> None:
    hung_up = asyncio.Event()

    async def speak_later(peer: Peer) -> None:
        await peer.listen()
        await peer.say(OK)
        await peer.say(b"HTTP/1.1 500 Not Asked\r\nContent-Length: 0\r\n\r\n")
        with suppress(OSError):
            await peer.reader.read()
        hung_up.set()

    async with serving(speak_later) as served, client() as guarded:
        assert (await guarded.request("POST", served.url)).status == 200
        await asyncio.wait_for(hung_up.wait(), 2)


async def test_idle_connection_is_hung_up_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.core.guarded_http._KEEPALIVE_SECONDS", 0.05)
    hung_up = asyncio.Event()

    async def wait_for_the_end(peer: Peer) -> None:
        await peer.listen()
        await peer.say(OK)
        with suppress(OSError):
            await peer.reader.read()
        hung_up.set()

    async with serving(wait_for_the_end) as served, client() as guarded:
        await guarded.request("POST", served.url)
        await asyncio.wait_for(hung_up.wait(), 2)


# What a failure means


async def fail(url: str, method: str = "POST", **options: Any) -> CallFailed:
    async with client(**options) as guarded:
        with pytest.raises(CallFailed) as failure:
            await guarded.request(method, url + "/hook?token=secret", headers={"X-Key": "secret"}, body=b"secret")
    return failure.value


async def test_refused_connection_was_never_written() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        failure = await fail(f"http://127.0.0.1:{closed.getsockname()[1]}")
    assert isinstance(failure, NeverWritten)
    assert str(failure).endswith(": no connection (ECONNREFUSED)")


async def test_name_without_an_address_was_never_written(names: Names) -> None:
    failure = await fail("http://nowhere.example")
    assert isinstance(failure, NeverWritten)
    assert str(failure) == "http://nowhere.example:80: the name does not resolve"


async def test_silent_name_server_was_never_written(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: asked.wait(2) and [])
    try:
        failure = await fail("http://slow.example", timeout=0.1)
    finally:
        asked.set()
    assert isinstance(failure, NeverWritten)
    assert str(failure) == "http://slow.example:80: timed out"


@pytest.mark.parametrize("script", [hang_up_at_once, reset_at_once, stay_silent])
async def test_broken_tls_handshake_was_never_written(script: Script) -> None:
    async with serving(script) as served:
        failure = await fail(f"https://127.0.0.1:{served.port}", timeout=0.2)
    assert isinstance(failure, NeverWritten)
    assert served.connections == 1


async def test_tls_to_a_plain_server_was_never_written() -> None:
    async def answer_nonsense(peer: Peer) -> None:
        received.extend(await peer.reader.read(5))
        await peer.say(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    received = bytearray()
    async with serving(answer_nonsense) as served:
        failure = await fail(f"https://127.0.0.1:{served.port}")
    assert isinstance(failure, NeverWritten)
    assert received[:1] == b"\x16", "a TLS handshake, and nothing of the request"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "POST"])
@pytest.mark.parametrize("script", [last_words(b""), reset_after_listening, last_words(b"HTTP/1.1 200 O")])
async def test_connection_broken_after_the_request_is_an_unknown_outcome_and_sent_once(
    script: Script, method: str
) -> None:
    async with serving(script) as served:
        failure = await fail(served.url, method)
    assert isinstance(failure, PerhapsWritten)
    assert len(served.requests) == 1, "a repeated request is a duplicate that nobody counts"


async def test_pooled_connection_broken_after_the_request_is_an_unknown_outcome_and_sent_once() -> None:
    async def answer_the_first(peer: Peer) -> None:
        await peer.listen()
        await peer.say(OK)
        await peer.listen()

    async with serving(answer_the_first) as served, client() as guarded:
        await guarded.request("PUT", served.url, body=b"1")
        with pytest.raises(PerhapsWritten):
            await guarded.request("PUT", served.url, body=b"2")
    assert (len(served.requests), served.connections) == (2, 1)


async def test_connection_broken_in_the_middle_of_the_request_is_an_unknown_outcome() -> None:
    async def read_a_little(peer: Peer) -> None:
        await peer.reader.readexactly(100)
        await reset_at_once(peer)

    async with serving(read_a_little) as served, client() as guarded:
        with pytest.raises(PerhapsWritten):
            await guarded.request("POST", served.url, body=bytes(900_000))


@pytest.mark.parametrize(
    "words",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"\x00" * 100,
        b"HTTP/1.1 999999 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-A: " + b"a" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 10_000 + b"\r\n",
    ],
    ids=lambda words: words[:40],
)
async def test_answer_that_is_not_http_is_an_unknown_outcome(words: bytes) -> None:
    async with serving(last_words(words)) as served:
        assert isinstance(await fail(served.url), PerhapsWritten)


async def test_switched_protocol_is_an_answer_without_a_body() -> None:
    switch = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nmore"
    async with serving(last_words(switch)) as served, client() as guarded:
        answer = await guarded.request("GET", served.url)
    assert (answer.status, answer.body) == (101, b"")


@pytest.mark.parametrize(
    "script", [last_words(b""), reset_after_listening, stay_silent, last_words(b"nonsense\r\n\r\n")]
)
async def test_failure_tells_no_secret_even_in_its_traceback(script: Script) -> None:
    async with serving(script) as served:
        failure = await fail(served.url, timeout=0.2)
    assert str(failure).startswith(f"{served.url}: ")
    assert failure.__cause__ is failure.__context__ is None
    assert "secret" not in "".join(traceback.format_exception(failure)).replace('"secret', "").replace(
        "=secret", ""
    )


async def test_cancelled_call_stays_cancelled() -> None:
    heard = asyncio.Event()

    async def listen_and_stay_silent(peer: Peer) -> None:
        await peer.listen()
        heard.set()
        await stay_silent(peer)

    async with serving(listen_and_stay_silent) as served, client() as guarded:
        call = asyncio.create_task(guarded.request("POST", served.url))
        await heard.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call


async def test_slow_target_delays_no_other() -> None:
    crowded = asyncio.Event()

    async def draw_a_crowd(peer: Peer) -> None:
        if peer.served.connections >= 100:
            crowded.set()
        await stay_silent(peer)

    async with serving(draw_a_crowd) as slow, serving() as good, client() as guarded, asyncio.TaskGroup() as calls:
        waiting = [calls.create_task(guarded.request("POST", slow.url)) for _ in range(101)]
        await crowded.wait()
        answer = await guarded.request("POST", good.url)
        assert not any(call.done() for call in waiting)
        for call in waiting:
            call.cancel()
    assert answer.status == 200


# TLS


@dataclass
class Certified:
    server: ssl.SSLContext
    trust: ssl.SSLContext


@pytest.fixture(scope="module")
def hooks_example(tmp_path_factory: pytest.TempPathFactory) -> Certified:
    """A server whose certificate is for hooks.example, and a client that trusts it."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hooks.example")])
    today = now()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("hooks.example")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    return Certified(server, ssl.create_default_context(cafile=str(folder / "certificate.pem")))


async def test_tls_is_verified_for_the_name_and_not_the_address(
    names: Names, hooks_example: Certified, connected: list[tuple[str, int]]
) -> None:
    names.answers["hooks.example"] = [["127.0.0.1"]]
    async with serving(tls=hooks_example.server) as served, client(tls=hooks_example.trust) as guarded:
        answer = await guarded.request("POST", f"https://hooks.example:{served.port}/", body=b"x")
    assert answer.status == 200
    assert connected == [("127.0.0.1", served.port)]


@pytest.mark.parametrize("host", ["other.example", "127.0.0.1"])
async def test_certificate_for_another_host_is_refused_before_anything_is_written(
    host: str, names: Names, hooks_example: Certified
) -> None:
    names.answers["other.example"] = [["127.0.0.1"]]
    async with serving(tls=hooks_example.server) as served:
        failure = await fail(f"https://{host}:{served.port}", tls=hooks_example.trust)
    assert isinstance(failure, NeverWritten)
    assert "the certificate is refused: " in str(failure)
    assert "mismatch" in str(failure)
    assert served.requests == []


async def test_certificate_that_nobody_vouches_for_is_refused(names: Names, hooks_example: Certified) -> None:
    names.answers["hooks.example"] = [["127.0.0.1"]]
    async with serving(tls=hooks_example.server) as served:
        failure = await fail(f"https://hooks.example:{served.port}")
    assert isinstance(failure, NeverWritten)
    assert "self-signed" in str(failure)
    assert served.requests == []


def test_answer_keeps_its_body_and_headers_out_of_logs() -> None:
    assert repr(Answer(200, {"x-key": "secret"}, b"secret")) == "Answer(status=200, truncated=False)"
