"""Stop reading a request's body where it becomes too long.

Django's ASGI handler writes the whole body to disk before any view or middleware runs, so the limit has to
stand in front of it.
"""

from collections.abc import Mapping

import orjson

from apps.core.api.problems import CONTENT_TYPE, document
from apps.core.asgi import Application, Message, Receive, Scope, Send


class _TooLong(Exception):
    pass


class BodyLimit:
    def __init__(
        self, application: Application, most_bytes: int, exceptions: Mapping[str, int] | None = None
    ) -> None:
        """`exceptions` are the paths that take longer bodies, or only shorter ones."""
        self._application = application
        self._most_bytes = most_bytes
        self._exceptions = exceptions or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        most_bytes = self._exceptions.get(scope["path"], self._most_bytes)
        if _announced_length(scope) > most_bytes:
            await _refuse(send, most_bytes)
            return

        seen = 0
        answered = False

        async def counted_receive() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > most_bytes:
                raise _TooLong
            return message

        async def noted_send(message: Message) -> None:
            nonlocal answered
            answered = True
            await send(message)

        try:
            await self._application(scope, counted_receive, noted_send)
        except _TooLong:
            if not answered:
                await _refuse(send, most_bytes)


async def _refuse(send: Send, most_bytes: int) -> None:
    detail = f"The body is longer than {most_bytes} bytes. Split it into several requests."
    body = orjson.dumps(document(413, "body_too_large", detail))
    headers = [
        (b"content-type", CONTENT_TYPE.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _announced_length(scope: Scope) -> int:
    """What the client says it will send; a chunked body says nothing and is counted as it comes."""
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return 0
