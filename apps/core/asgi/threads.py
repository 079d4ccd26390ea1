"""Django for synchronous views: the whole of a request runs in one thread of a small pool.

Django's own ASGI handler starts a thread for each request and moves it between that thread and the event loop
at every middleware and signal. All our views are synchronous, so one hop there and one back suffice; an empty
request is answered three times as fast (docs/adr/0010-one-thread-hop.md). What is asynchronous, such as sockets,
has a way of its own beside this one.
"""

import asyncio
import contextvars
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Any, cast

import orjson
from django.core import signals
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, ASGIRequest, get_script_prefix
from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import set_script_prefix

from apps.core.api.problems import CONTENT_TYPE, document
from apps.core.asgi import Receive, Scope, Send
from apps.core.health import LIVE, PROBES

# How long a body of at most two megabytes may take to arrive.
BODY_SECONDS = 30
# What the same request may escape if it is sent again.
PASSING = frozenset({408, 503})
# Probes wait for no request; two may ask at once, and a few more wait.
PROBING_THREADS = 2
MOST_PROBES_WAITING = 16
CHARSETS = frozenset({"utf-8", "utf8", "us-ascii", "ascii", "iso-8859-1"})


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: list[tuple[bytes, bytes]]
    content: bytes
    # An answer that is made while it is sent; closing it ends the request.
    stream: StreamingHttpResponse | None


_ALIVE = _Answer(
    200,
    [(b"content-type", b"application/json"), (b"content-length", b"15"), (b"cache-control", b"no-store")],
    b'{"status":"ok"}',
    None,
)


class _Places:
    """Threads, and room for a few who wait for one."""

    def __init__(self, name: str, threads: int, most_waiting: int) -> None:
        self.threads = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._free = threads + most_waiting

    @property
    def are_taken(self) -> bool:
        return self._free <= 0

    @contextmanager
    def one(self) -> Iterator[None]:
        self._free -= 1
        try:
            yield
        finally:
            self._free += 1


class ThreadedDjango(ASGIHandler):
    def __init__(self, *, threads: int, most_waiting: int) -> None:
        super().__init__()
        self._requests = _Places("request", threads, most_waiting)
        self._probes = _Places("probe", PROBING_THREADS, MOST_PROBES_WAITING)

    def load_middleware(self, is_async: bool = False) -> None:
        super().load_middleware(is_async=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # type: ignore[override]
        if scope["type"] != "http":
            raise ValueError(f"{scope['type']} connections are not for this handler")
        if scope["path"] == LIVE and scope["method"] in {"GET", "HEAD"}:
            # By this loop itself: whoever is slow, the database above all, is not mended by a restart.
            await _send(send, _ALIVE)
            return
        try:
            # All of it is here before a place is taken, so a client that sends slowly, or nothing, holds none.
            async with asyncio.timeout(BODY_SECONDS):
                body = await _read(receive)
        except RequestAborted:
            return
        except TimeoutError:
            await _send(send, _problem(408, "body_too_slow", "The body did not arrive in time."))
            return
        places = self._probes if scope["path"] in PROBES else self._requests
        if places.are_taken:
            await _send(send, _problem(503, "busy", "More requests are waiting than can be served. Try again."))
            return
        with places.one():
            await self._answer(scope, body, send, places.threads)

    async def _answer(self, scope: Scope, body: BytesIO, send: Send, threads: ThreadPoolExecutor) -> None:
        context = contextvars.copy_context()
        loop = asyncio.get_running_loop()

        async def in_thread(function: Any, *arguments: Any) -> Any:
            return await loop.run_in_executor(threads, context.run, function, *arguments)

        answer: _Answer = await in_thread(self._carry_out, scope, body)
        if answer.stream is None:
            await _send(send, answer)
            return
        try:
            await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
            chunks = iter(answer.stream)
            while (chunk := await in_thread(next, chunks, None)) is not None:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        finally:
            await in_thread(answer.stream.close)

    def _carry_out(self, scope: Scope, body: BytesIO) -> _Answer:
        """From the first signal to the last in one thread, which has its own database connection."""
        set_script_prefix(get_script_prefix(cast("dict[str, Any]", scope)))
        signals.request_started.send(sender=self.__class__, scope=scope)
        try:
            request, refusal = self.create_request(cast("dict[str, Any]", scope), body)
        except (LookupError, ValueError):  # a Content-Type that makes no sense
            return _problem(400, "bad_request", "The headers cannot be understood.")
        if request is not None and not _is_readable(request):
            return _problem(415, "unsupported_charset", "Send UTF-8.")
        response: HttpResponseBase = self.get_response(request) if request is not None else cast("Any", refusal)
        # Tells Django whose request has finished when the response is closed.
        response._handler_class = self.__class__  # type: ignore[attr-defined]
        headers = [(name.encode("ascii"), value.encode("latin-1")) for name, value in response.items()]
        headers += [
            (b"set-cookie", cookie.output(header="").strip().encode("ascii"))
            for cookie in response.cookies.values()
        ]
        if isinstance(response, StreamingHttpResponse):
            return _Answer(response.status_code, headers, b"", response)
        try:
            return _Answer(response.status_code, headers, cast("Any", response).content, None)
        finally:
            response.close()


async def _read(receive: Receive) -> BytesIO:
    """In memory: what is longer than a body may be was refused on the way here."""
    body = BytesIO()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise RequestAborted
        body.write(message.get("body", b""))
        if not message.get("more_body", False):
            body.seek(0)
            return body


def _is_readable(request: ASGIRequest) -> bool:
    """Other encodings are of no use to us, and some make Django's form parser fail."""
    charset = (request.content_params or {}).get("charset", "utf-8")
    return charset.lower().strip("\"'") in CHARSETS


async def _send(send: Send, answer: _Answer) -> None:
    await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
    await send({"type": "http.response.body", "body": answer.content})


def _problem(status: int, code: str, detail: str) -> _Answer:
    """Said at once, with no view to say it: a queue without end would only answer people who have gone."""
    content = orjson.dumps(document(status, code, detail))
    headers = [
        (b"content-type", CONTENT_TYPE.encode()),
        (b"content-length", str(len(content)).encode()),
    ]
    if status in PASSING:
        headers.append((b"retry-after", b"1"))
    return _Answer(status, headers, content, None)
