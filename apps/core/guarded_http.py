"""HTTP to targets that strangers chose: webhooks, and whatever else a tenant gives us the URL of.

Two promises. A call reaches public addresses only, whatever its URL, its DNS or its answer try: the name is
resolved once, every address it has is checked, and the connection goes to those very addresses. And when a
call fails, the exception says whether the other side can have seen the request, which decides between a
plain retry and an unknown outcome.
"""

import asyncio
import errno
import re
import socket
import ssl
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache, partial
from typing import Self

from aiohappyeyeballs import start_connection
from multidict import CIMultiDict
from yarl import URL

from apps.core import tracing
from apps.core.addresses import Network, TargetRefused, check_url, why_refused
from apps.core.http_connection import ConnectionBroke, HttpConnection, StreamedBody

__all__ = [
    "Answer",
    "CallFailed",
    "Failure",
    "GuardedClient",
    "NeverWritten",
    "PerhapsWritten",
    "StreamedBody",
    "TargetRefused",
]

_METHODS = frozenset({"DELETE", "GET", "OPTIONS", "PATCH", "POST", "PUT"})
_WITH_BODY = frozenset({"PATCH", "POST", "PUT"})
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_NOT_IN_A_HEADER = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
# They frame the message, govern the connection or rename its host: the client's own business.
_OWN_HEADERS = frozenset(
    {"accept-encoding", "connection", "content-length", "expect", "host", "transfer-encoding", "upgrade"}
)

# Shorter than the 5 s after which many servers hang up: a request that crosses their goodbye on the wire is
# one whose outcome nobody knows.
_KEEPALIVE_SECONDS = 4.0
# Names on deliberately slow name servers shall not keep others from being looked up.
_NAMES_AT_ONCE = 32
_NEXT_ADDRESS_AFTER_SECONDS = 0.25
_URLS_REMEMBERED = 1024


class Failure(StrEnum):
    """How far a call came."""

    NAME = "name"
    CONNECTION = "connection"
    CERTIFICATE = "certificate"
    TLS = "tls"
    TIMEOUT = "timeout"
    BROKEN = "broken"


class CallFailed(Exception):
    """No answer came. The message names scheme, host and port: path and query may hold secrets."""

    def __init__(self, origin: str, failure: Failure, why: str) -> None:
        super().__init__(f"{origin}: {why}")
        self.failure = failure
        self.why = why


class NeverWritten(CallFailed):
    """The call failed before anything of the request was written. It is safe to repeat."""


class PerhapsWritten(CallFailed):
    """The call failed when the other side may have had the request. Its outcome is unknown."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. Header names match in any case; the body is as it was sent, never unpacked.

    `truncated`: the body is over the cap, came too slowly or broke off. The status holds all the same.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    truncated: bool = False


class _Unreachable(Exception):
    """There is no connection, for the reason that the message gives."""

    def __init__(self, failure: Failure, why: str) -> None:
        super().__init__(why)
        self.failure = failure


@dataclass(frozen=True, slots=True)
class _Target:
    """A URL that may be called, as calls need it."""

    scheme: str
    # As it is resolved and as a certificate names it.
    host: str
    port: int
    origin: str
    # All of the request's head that is the same in every call, without its method.
    head: bytes

    @classmethod
    def of(cls, url: URL) -> Self:
        assert url.raw_host is not None
        assert url.port is not None
        host = url.host_subcomponent if url.is_default_port() else f"{url.host_subcomponent}:{url.port}"
        head = (
            f" {url.raw_path_qs} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: Recado\r\n"
            # A few bytes may unpack to gigabytes.
            "Accept-Encoding: identity\r\n"
        )
        origin = f"{url.scheme}://{url.host_subcomponent}:{url.port}"
        return cls(url.scheme, url.raw_host, url.port, origin, head.encode())


class GuardedClient:
    """One pool of connections and one set of rules, for as long as the event loop lives.

    It has as many connections as there are calls under way. A bound here would have the calls to good targets
    wait, and time out, behind those to slow ones.
    """

    def __init__(
        self,
        allowed_networks: Sequence[Network] = (),
        timeout: float = 15.0,
        max_answer_bytes: int = 64 * 1024,
        *,
        allow_http: bool = False,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._allowed = tuple(allowed_networks)
        self._timeout = timeout
        self._max_answer_bytes = max_answer_bytes
        self._tls = tls or ssl.create_default_context()
        self._idle: dict[str, list[HttpConnection]] = {}
        self._sweep: asyncio.TimerHandle | None = None
        self._names = ThreadPoolExecutor(_NAMES_AT_ONCE, thread_name_prefix="names")

        # Most calls are to the same few URLs, and what was found of one holds for the life of the client.
        @lru_cache(maxsize=_URLS_REMEMBERED)
        def target_of(url: str) -> _Target:
            return _Target.of(check_url(url, self._allowed, allow_http=allow_http))

        self._target_of = target_of

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._sweep is not None:
            self._sweep.cancel()
        for connections in self._idle.values():
            for connection in connections:
                connection.hang_up()
        self._idle.clear()
        self._names.shutdown(wait=False, cancel_futures=True)
        await asyncio.sleep(0)  # in which the connections are closed

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | StreamedBody = b"",
        seconds: float | None = None,
    ) -> Answer:
        """One request, sent at most once. A redirect is an answer like any other.

        `seconds` is for what takes long to write: so long may all of it take, of which connecting may take no more
        than any other call.

        Raises TargetRefused, NeverWritten or PerhapsWritten; ValueError for a method, a header or a length that no
        caller may send; and whatever a streamed body raises, which then was not written to its end.
        """
        request = _written(method, headers or {}, body)
        rest = body if isinstance(body, StreamedBody) else None
        target = self._target_of(url)
        connection = self._take_idle(target)
        failure, why = Failure.BROKEN, ""
        try:
            began_at = asyncio.get_running_loop().time()
            async with asyncio.timeout(self._timeout) as limit:
                if connection is None:
                    connection = await self._connect(target)
                if seconds is not None:
                    limit.reschedule(began_at + seconds)
                await connection.ask(b"%b%b%b" % (method.encode(), target.head, request), rest)
        except TimeoutError:
            failure, why = Failure.TIMEOUT, "timed out"
        except _Unreachable as error:
            failure, why = error.failure, str(error)
        except ConnectionBroke as error:
            why = str(error)
        finally:
            if connection is not None:
                self._put_back(target, connection)
        # Raised here, outside the `except`, so that no traceback shows what lies below.
        if connection is None:
            raise NeverWritten(target.origin, failure, why)
        if not connection.status:
            raise PerhapsWritten(target.origin, failure, why)
        if (call := tracing.here()) is not None and call.is_call:
            call.note({"http.response.status_code": connection.status})
        return _answer_on(connection)

    async def _connect(self, target: _Target) -> HttpConnection:
        """To one of the checked addresses. Nothing of the request is written by this, nor by a TLS handshake."""
        loop = asyncio.get_running_loop()
        addresses = await self._addresses_of(target)
        try:
            connected = await start_connection(addresses, happy_eyeballs_delay=_NEXT_ADDRESS_AFTER_SECONDS)
        except OSError as error:
            name = errno.errorcode.get(error.errno or 0, "broken off")
            raise _Unreachable(Failure.CONNECTION, f"no connection ({name})") from error
        is_secure = target.scheme == "https"
        try:
            _, connection = await loop.create_connection(
                partial(HttpConnection, self._max_answer_bytes),
                sock=connected,
                ssl=self._tls if is_secure else None,
                server_hostname=target.host.rstrip(".") if is_secure else None,
            )
        except ssl.SSLCertVerificationError as refused:
            why = f"the certificate is refused: {refused.verify_message}"
            raise _Unreachable(Failure.CERTIFICATE, why) from refused
        except OSError as error:
            raise _Unreachable(Failure.TLS, "the TLS handshake failed") from error
        return connection

    async def _addresses_of(self, target: _Target) -> Sequence["_Address"]:
        """One forbidden address condemns the name, even among good ones.

        Nobody publishes such a mix but by mistake or with intent, and which of them gets connected would be left
        to chance.
        """
        if written := _as_address(target.host, target.port):
            return [written]  # check_url has judged it
        look_up = partial(socket.getaddrinfo, target.host, target.port, type=socket.SOCK_STREAM)
        try:
            found = await asyncio.get_running_loop().run_in_executor(self._names, look_up)
        except OSError as error:
            raise _Unreachable(Failure.NAME, "the name does not resolve") from error
        if not found:
            raise _Unreachable(Failure.NAME, "the name does not resolve")
        for *_, at in found:
            if reason := why_refused(str(at[0]), self._allowed):
                # Not which: a stranger shall not read our internal DNS through us.
                raise TargetRefused(f"the URL's host leads to {reason}")
        return found

    def _take_idle(self, target: _Target) -> HttpConnection | None:
        oldest = asyncio.get_running_loop().time() - _KEEPALIVE_SECONDS
        connections = self._idle.get(target.origin, [])
        while connections:
            connection = connections.pop()
            if connection.is_open and connection.idle_since > oldest:
                return connection
            connection.hang_up()
        return None

    def _put_back(self, target: _Target, connection: HttpConnection) -> None:
        if not connection.may_be_asked_again:
            connection.hang_up()
            return
        loop = asyncio.get_running_loop()
        connection.idle_since = loop.time()
        self._idle.setdefault(target.origin, []).append(connection)
        if self._sweep is None:
            self._sweep = loop.call_later(_KEEPALIVE_SECONDS, self._hang_up_idle)

    def _hang_up_idle(self) -> None:
        loop = asyncio.get_running_loop()
        oldest = loop.time() - _KEEPALIVE_SECONDS
        for origin, connections in list(self._idle.items()):
            for connection in connections:
                if connection.idle_since <= oldest:
                    connection.hang_up()
            self._idle[origin] = [each for each in connections if each.is_open]
            if not self._idle[origin]:
                del self._idle[origin]
        self._sweep = loop.call_later(_KEEPALIVE_SECONDS, self._hang_up_idle) if self._idle else None


# As getaddrinfo writes them.
type _Address = tuple[int, int, int, str, tuple[str | int | bytes, ...]]


def _as_address(host: str, port: int) -> _Address | None:
    """Of a host that is an address already."""
    for family, at in ((socket.AF_INET, (host, port)), (socket.AF_INET6, (host, port, 0, 0))):
        try:
            socket.inet_pton(family, host)
        except OSError:
            continue
        return family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", at
    return None


def _answer_on(connection: HttpConnection) -> Answer:
    headers = CIMultiDict((name.decode("latin-1"), value.decode("latin-1")) for name, value in connection.headers)
    return Answer(connection.status, headers, bytes(connection.body), truncated=not connection.is_whole)


def _written(method: str, headers: Mapping[str, str], body: bytes | StreamedBody) -> bytes:
    """What follows the head of the target: the caller's headers, and the body unless it is streamed."""
    if method not in _METHODS:
        raise ValueError(f"{method!r} is no method of this client")
    lines = []
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(name) or name.lower() in _OWN_HEADERS or _NOT_IN_A_HEADER.search(value):
            raise ValueError(f"the header {name!r} is malformed, or the client's own")
        lines.append(f"{name}: {value}\r\n")
    size, at_once = (body.size, b"") if isinstance(body, StreamedBody) else (len(body), body)
    if size or method in _WITH_BODY:
        lines.append(f"Content-Length: {size}\r\n")
    lines.append("\r\n")
    return "".join(lines).encode() + at_once
