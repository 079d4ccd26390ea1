"""What an S3 does by itself, for the local disk: takes parts and hands out objects to whoever has a signed link.

In front of Django, for the same reason as the intake: bodies are streamed. With an S3 there is nothing here.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import BinaryIO

import orjson
import structlog

from apps.core.api.problems import CONTENT_TYPE, document
from apps.core.asgi import Application, Receive, Scope, Send
from apps.files.intake.reading import ClientGone, chunks
from apps.files.names import disposition
from apps.files.stores import links
from apps.files.stores.disk import DiskStore
from apps.files.stores.store import BadLink, NoSuchObject, NoSuchUpload, StoreFailed, StoreFull

logger = structlog.get_logger(__name__)

THREADS = 8
SEND_BYTES = 256 * 1024
_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")


class _Refused(Exception):
    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail = status, code, detail


class DiskService:
    def __init__(self, application: Application, store: DiskStore) -> None:
        self._application = application
        self._store = store
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="disk")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        method = scope.get("method")
        try:
            if scope["type"] == "http" and path.startswith(links.PARTS) and method == "PUT":
                await self._take_part(path.removeprefix(links.PARTS), scope, receive, send)
            elif scope["type"] == "http" and path.startswith(links.OBJECTS) and method in {"GET", "HEAD"}:
                await self._hand_out(path.removeprefix(links.OBJECTS), scope, send)
            else:
                await self._application(scope, receive, send)
        except ClientGone:
            return
        except _Refused as refused:
            await _refuse(send, refused)
        except BadLink as bad:
            await _refuse(send, _Refused(403, "bad_link", str(bad)))
        except (NoSuchObject, NoSuchUpload) as gone:
            await _refuse(send, _Refused(404, "not_found", str(gone)))
        except StoreFull as full:
            await _refuse(send, _Refused(507, "storage_full", str(full)))
        except StoreFailed as failed:
            logger.warning("store_failed", reason=str(failed))
            await _refuse(
                send, _Refused(503, "storage_unavailable", "It cannot be stored at the moment. Try again.")
            )

    async def _take_part(self, token: str, scope: Scope, receive: Receive, send: Send) -> None:
        place = links.read_part(token)
        announced = _header(scope, b"content-length")
        if announced != str(place.size):
            raise _Refused(400, "wrong_length", f"This link takes exactly {place.size} bytes.")
        arriving = chunks(receive)
        with ExitStack() as stack:
            file = await self._in_thread(
                stack.enter_context, self._store.part_written(place.key, place.upload, place.number)
            )
            await self._write(file, arriving, place.size)
            await self._in_thread(stack.close)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    async def _write(self, file: BinaryIO, arriving: AsyncIterator[bytes], size: int) -> None:
        left = size
        async for chunk in arriving:
            left -= len(chunk)
            if left < 0:
                raise _Refused(400, "wrong_length", f"This link takes exactly {size} bytes.")
            await self._in_thread(file.write, chunk)
        if left:
            raise _Refused(400, "wrong_length", f"This link takes exactly {size} bytes.")

    async def _hand_out(self, token: str, scope: Scope, send: Send) -> None:
        wanted = links.read_download(token)
        with ExitStack() as stack:
            file = await self._in_thread(stack.enter_context, self._store.opened(wanted.key))
            size = await self._in_thread(file.seek, 0, 2)
            start, stop, status = _range(_header(scope, b"range"), size)
            headers = [
                (b"content-type", wanted.media_type.encode()),
                (b"content-length", str(stop - start).encode()),
                (b"content-disposition", disposition(wanted.file_name, is_inline=wanted.is_inline).encode()),
                (b"accept-ranges", b"bytes"),
                (b"cache-control", b"private, no-store"),
                (b"x-content-type-options", b"nosniff"),
                # Should anything in it ever run, then nowhere near us.
                (b"content-security-policy", b"sandbox; default-src 'none'"),
            ]
            if status == 206:
                headers.append((b"content-range", f"bytes {start}-{stop - 1}/{size}".encode()))
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await self._in_thread(file.seek, start)
            while start < stop and scope["method"] == "GET":
                piece = await self._in_thread(file.read, min(SEND_BYTES, stop - start))
                if not piece:
                    return
                start += len(piece)
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def _in_thread[**P, T](self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, lambda: work(*args, **kwargs))


def _range(header: str, size: int) -> tuple[int, int, int]:
    """From, to before, and the status. Several ranges at once are answered with the whole."""
    found = _RANGE.fullmatch(header)
    if not found or found.groups() == ("", ""):
        return 0, size, 200
    first, last = found.groups()
    start = int(first) if first else max(0, size - int(last))
    stop = min(size, int(last) + 1) if first and last else size
    if start >= size or start >= stop:
        raise _Refused(416, "bad_range", f"The file has {size} bytes.")
    return start, stop, 206


async def _refuse(send: Send, refused: _Refused) -> None:
    body = orjson.dumps(document(refused.status, refused.code, refused.detail))
    headers = [
        (b"content-type", CONTENT_TYPE.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": refused.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _header(scope: Scope, wanted: bytes) -> str:
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == wanted), "")
