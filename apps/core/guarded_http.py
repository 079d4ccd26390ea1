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
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Self

import aiohttp
from aiohttp.abc import ResolveResult
from aiohttp.client_middlewares import ClientHandlerType
from aiohttp.connector import Connection
from aiohttp.http_exceptions import HttpProcessingError  # no ClientError, yet let out by the pure-Python parser
from yarl import URL

from apps.core.addresses import Network, TargetRefused, check_url, why_refused

__all__ = ["Answer", "CallFailed", "GuardedClient", "NeverWritten", "PerhapsWritten", "TargetRefused"]

_METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
_NEVER_REPEATED = frozenset({"PATCH", "POST"})
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_NOT_IN_A_HEADER = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
# They frame the message, govern the connection or rename its host: the client's own business.
_OWN_HEADERS = frozenset(
    {"accept-encoding", "connection", "content-length", "expect", "host", "transfer-encoding", "upgrade"}
)

# Shorter than the 5 s after which many servers hang up: a request that crosses their goodbye on the wire is
# one whose outcome nobody knows.
_KEEPALIVE_SECONDS = 4.0
_URLS_REMEMBERED = 1024


class CallFailed(Exception):
    """No answer came. The message names scheme, host and port: path and query may hold secrets."""


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


@dataclass(slots=True)
class _Progress:
    """How far a call came. This, not the exception's class, decides what its failure means."""

    written: bool = False
    response: aiohttp.ClientResponse | None = None
    body: bytearray = field(default_factory=bytearray)
    whole: bool = False


# Of the call that this task makes.
_under_way: ContextVar[_Progress] = ContextVar("under_way")


class GuardedClient:
    """One pool of connections and one set of rules, for as long as the event loop lives."""

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
        self._tls = tls

        # Most calls are to the same few URLs, and what was found of one holds for the life of the client.
        @lru_cache(maxsize=_URLS_REMEMBERED)
        def check(url: str) -> URL:
            return check_url(url, self._allowed, allow_http=allow_http)

        self._check = check

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                resolver=_CheckedResolver(self._allowed),
                ssl=self._tls or True,
                keepalive_timeout=_KEEPALIVE_SECONDS,
                # The dispatcher bounds what is under way. A second bound here would have the calls to good
                # targets wait, and time out, behind those to slow ones.
                limit=0,
            ),
            headers={"Accept-Encoding": "identity", "User-Agent": "Recado"},
            auto_decompress=False,  # a few bytes may unpack to gigabytes
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,  # a proxy would resolve the name again, where nobody checks it
            timeout=aiohttp.ClientTimeout(total=None),  # asyncio.timeout() below is the only clock
            request_class=_NotingRequest,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def request(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> Answer:
        """One request, sent at most once. A redirect is an answer like any other.

        Raises TargetRefused, NeverWritten or PerhapsWritten; ValueError for a method or a header that no
        caller may send.
        """
        if method not in _METHODS:
            raise ValueError(f"{method!r} is no method of this client")
        _check_headers(headers or {})
        target = self._check(url)
        progress = _Progress()
        failure = None
        try:
            async with asyncio.timeout(self._timeout):
                await self._exchange(method, target, headers, body, progress)
        except (aiohttp.ClientError, HttpProcessingError, OSError) as error:
            failure = _in_words(error)
        # Raised here, outside the `except`, because the texts of aiohttp's exceptions hold the URL, and with it
        # tokens: no traceback shall show them.
        if (response := progress.response) is not None:
            return Answer(response.status, response.headers, bytes(progress.body), truncated=not progress.whole)
        failed = PerhapsWritten if progress.written else NeverWritten
        raise failed(f"{target.scheme}://{target.host_subcomponent}:{target.port}: {failure}")

    async def _exchange(
        self, method: str, target: URL, headers: Mapping[str, str] | None, body: bytes, progress: _Progress
    ) -> None:
        _under_way.set(progress)
        # What aiohttp would never repeat by itself needs nobody to keep it from that.
        middlewares = () if method in _NEVER_REPEATED else (_send_once,)
        async with self._session.request(
            method, target, headers=headers, data=body or None, allow_redirects=False, middlewares=middlewares
        ) as response:
            progress.response = response
            async for chunk in response.content.iter_any():
                room = self._max_answer_bytes - len(progress.body)
                progress.body += chunk[:room]
                if len(chunk) > room:
                    return  # and aiohttp closes the connection, the rest of the answer unread
            progress.whole = True


class _CheckedResolver(aiohttp.ThreadedResolver):
    """Lets a name through when every one of its addresses may be called.

    One forbidden address condemns the name, even among good ones: nobody publishes such a mix but by mistake
    or with intent, and which of them gets connected would be left to chance.
    """

    def __init__(self, allowed: Sequence[Network]) -> None:
        super().__init__()
        self._allowed = allowed

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        answers = await super().resolve(host, port, family)
        for answer in answers:
            if reason := why_refused(answer["host"], self._allowed):
                # Not which: a stranger shall not read our internal DNS through us.
                raise TargetRefused(f"the URL's host leads to {reason}")
        return answers


class _NotingRequest(aiohttp.ClientRequest):
    """Notes that it is about to be written. aiohttp's own tracing tells the same at ten times the cost."""

    async def send(self, conn: Connection) -> aiohttp.ClientResponse:
        # There is a connection, and not one byte has gone: it errs, if at all, on the careful side.
        _under_way.get().written = True
        return await super().send(conn)


async def _send_once(request: aiohttp.ClientRequest, send: ClientHandlerType) -> aiohttp.ClientResponse:
    """Keeps aiohttp from sending a GET, PUT or DELETE again, by itself, when the connection broke."""
    try:
        return await send(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise aiohttp.ClientConnectionError from error


def _check_headers(headers: Mapping[str, str]) -> None:
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(name) or name.lower() in _OWN_HEADERS or _NOT_IN_A_HEADER.search(value):
            raise ValueError(f"the header {name!r} is malformed, or the client's own")


def _in_words(error: Exception) -> str:
    words = "the connection broke"
    match error:
        case TimeoutError():
            words = "timed out"
        case aiohttp.ClientConnectorDNSError():
            words = "the name does not resolve"
        case aiohttp.ClientConnectorCertificateError(certificate_error=ssl.SSLCertVerificationError() as refused):
            words = f"the certificate is refused: {refused.verify_message}"
        case aiohttp.ClientConnectorSSLError():
            words = "the TLS handshake failed"
        case aiohttp.ClientConnectorError():
            words = f"no connection ({errno.errorcode.get(error.errno or 0, 'broken off')})"
        case aiohttp.ClientResponseError():
            words = "the answer is not HTTP"
    return words
