"""The way in for `POST /v1/files`, in front of Django, whose handler would keep the whole body first.

Django is asked twice, by the same rules as for any other request: before the body is read, whether it may come
(`FilesView` authenticates, counts and checks limits), and after it, to write down and answer what it became. The
bytes in between are not its business.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from uuid import UUID

import orjson
import structlog
from django.conf import settings
from django.db import Error as DatabaseError

from apps.accounts.principal import Principal
from apps.core.api.problems import CONTENT_TYPE, Unavailable, document
from apps.core.asgi import Application, Message, Receive, Scope, Send
from apps.core.asgi.django_threads import Threads
from apps.files import metrics, uploads
from apps.files.intake.pouring import PARTS_UNDER_WAY, Buffers, Pouring
from apps.files.intake.reading import BadBody, ClientGone, FileReader, boundary_of, chunks
from apps.files.models import Upload, UploadState
from apps.files.stores import store
from apps.files.stores.store import NoSuchUpload, StoreFailed, StoreFull

logger = structlog.get_logger(__name__)

PATH = "/v1/files"
# Where Django's view finds what it must know of a request whose body it never sees.
IN_SCOPE = "recado.intake"
# A client that sends nothing for so long is gone.
SILENT_SECONDS = 60.0
# How often it is told how far an upload is.
PROGRESS_SECONDS = 1.0
# After a refusal: what is still on its way is read and thrown away, so that the client sees why.
LINGER_SECONDS = 5.0


@dataclass
class Intake:
    """What the two halves of a request know of each other."""

    # As announced, body and all; None where it is sent in chunks.
    body_length: int | None
    principal: Principal | None = None
    upload: Upload | None = None
    largest: int = 0
    # Known once it is in the store.
    size: int = 0
    sha256: str = ""
    head: bytes = field(default=b"", repr=False)

    @property
    def is_received(self) -> bool:
        return bool(self.sha256)


@dataclass(frozen=True, slots=True)
class _Answer:
    start: Message
    body: bytes

    @property
    def is_yes(self) -> bool:
        return bool(self.start["status"] < 300)


class _Refused(Exception):
    def __init__(self, status: int, code: str, detail: str, wait: int | None = None) -> None:
        super().__init__(detail)
        body = orjson.dumps(document(status, code, detail))
        headers = [(b"content-type", CONTENT_TYPE.encode()), (b"content-length", str(len(body)).encode())]
        if wait is not None:
            headers.append((b"retry-after", str(wait).encode()))
        self.answer = _Answer({"type": "http.response.start", "status": status, "headers": headers}, body)
        self.code = code
        self.detail = detail


class FileIntake:
    def __init__(self, django: Application) -> None:
        self._django = django
        self._most = settings.FILES_UPLOADS_AT_ONCE
        # Of each upload: parts on their way, one being hashed, and one call that begins or ends it.
        self._threads = ThreadPoolExecutor(self._most * (PARTS_UNDER_WAY + 1), thread_name_prefix="store")
        self._database = Threads(2, most_waiting=4 * self._most, name="uploads")
        self._buffers = Buffers(most_idle=self._most * (PARTS_UNDER_WAY + 1))
        self._present = 0
        self._present_of: dict[UUID, int] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST" or scope["path"] != PATH:
            await self._django(scope, receive, send)
            return
        intake = Intake(_length(scope))
        try:
            answer = await self._take_in(scope, receive, intake)
        except ClientGone:
            await self._give_up(intake, "client_gone", "The client hung up.")
            return
        except _Refused as refused:
            await self._give_up(intake, refused.code, refused.detail)
            answer = refused.answer
        except BaseException:
            await self._give_up(intake, "failed", "The server failed.")
            raise
        await _answer(answer, receive, send)

    async def _take_in(self, scope: Scope, receive: Receive, intake: Intake) -> _Answer:
        boundary = boundary_of(_header(scope, b"content-type"))
        if boundary is None:
            # Django says who may not; whoever may is told what to send.
            return await self._ask_django(scope)
        if self._present >= self._most:
            raise _Refused(503, "busy", "More files are being received than can be. Try again.", wait=5)
        self._present += 1
        metrics.UPLOADS_UNDER_WAY.move(by=1)
        try:
            begun = await self._ask_django({**scope, IN_SCOPE: intake})
            if intake.upload is None:
                return begun
            with self._place_of(intake.upload.organization_id):
                await self._receive(receive, intake, boundary)
            answer = await self._ask_django({**scope, IN_SCOPE: intake})
            if intake.upload.state == UploadState.RECEIVING:
                # Refused at last, or answered as it was before, under the same Idempotency-Key.
                await self._give_up(intake, "not_needed", "It did not become a file.")
            return answer
        finally:
            self._present -= 1
            metrics.UPLOADS_UNDER_WAY.move(by=-1)

    def _place_of(self, organization_id: UUID) -> "_Place":
        """One organization never takes more than half of the places."""
        return _Place(self._present_of, organization_id, max(1, self._most // 2))

    async def _receive(self, receive: Receive, intake: Intake, boundary: bytes) -> None:
        upload = intake.upload
        assert upload is not None
        pouring = Pouring(store(), upload.key, self._threads, self._buffers)
        progress = asyncio.create_task(self._tell_progress(upload, pouring))
        try:
            with _refusing(upload):
                await self._pour(receive, intake, FileReader(boundary), pouring, progress)
                intake.sha256 = await pouring.finish()
                intake.size, intake.head = pouring.size, pouring.head
        finally:
            progress.cancel()
            with suppress(asyncio.CancelledError):
                await progress
            await pouring.stop()

    async def _pour(
        self, receive: Receive, intake: Intake, reader: FileReader, pouring: Pouring, progress: asyncio.Task[None]
    ) -> None:
        upload = intake.upload
        assert upload is not None
        is_named = False
        arriving = chunks(receive)
        while (chunk := await _next(arriving)) is not None:
            for data in reader.feed(chunk):
                if not is_named:
                    is_named = await self._name(upload, reader)
                if pouring.size + len(data) > intake.largest:
                    raise _Refused(413, "file_too_large", f"A file has at most {intake.largest} bytes here.")
                await pouring.write(data)
            if progress.done():
                raise NoSuchUpload
        reader.end()
        if not is_named:  # an empty file
            await self._name(upload, reader)

    async def _name(self, upload: Upload, reader: FileReader) -> bool:
        await self._database.run(uploads.name_it, upload, reader.name or "")
        return True

    async def _tell_progress(self, upload: Upload, pouring: Pouring) -> None:
        """Ends by itself only where the upload was given up by somebody else."""
        told, heard = -1, 0.0
        while True:
            await asyncio.sleep(PROGRESS_SECONDS)
            if pouring.size == told and time.monotonic() - heard < SILENT_SECONDS / 2:
                continue
            told, heard = pouring.size, time.monotonic()
            try:
                if not await self._database.run(uploads.hear_of, upload, told):
                    return
            except (DatabaseError, Unavailable) as error:  # the upload goes on, unseen
                logger.warning("progress_not_told", upload_id=str(upload.id), reason=type(error).__name__)

    async def _give_up(self, intake: Intake, code: str, detail: str) -> None:
        """Nothing is kept. What cannot be removed now is found by the sweep."""
        if intake.upload is None:
            return
        try:
            await self._database.run(uploads.refuse, intake.upload, code, detail)
        except (DatabaseError, Unavailable) as error:
            logger.warning("upload_not_given_up", upload_id=str(intake.upload.id), reason=type(error).__name__)

    async def _ask_django(self, scope: Scope) -> _Answer:
        """As if the request had no body."""
        said: list[Message] = []

        async def no_body() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def keep(message: Message) -> None:
            said.append(message)

        headers = [pair for pair in scope["headers"] if pair[0] not in {b"content-length", b"transfer-encoding"}]
        await self._django({**scope, "headers": headers}, no_body, keep)
        return _Answer(said[0], b"".join(message.get("body", b"") for message in said[1:]))


@contextmanager
def _refusing(upload: Upload) -> Iterator[None]:
    """What can go wrong while a body comes, as it is told to the client."""
    try:
        yield
    except BadBody as bad:
        raise _Refused(400, bad.code, bad.detail) from bad
    except NoSuchUpload as ended:
        raise _Refused(409, "upload_ended", "This upload was aborted.") from ended
    except StoreFull as full:
        raise _Refused(507, "storage_full", "There is no room for it. Tell whoever runs this.") from full
    except StoreFailed as failed:
        logger.warning("store_failed", upload_id=str(upload.id), reason=str(failed))
        raise _Refused(503, "storage_unavailable", "The storage does not work. Try again.", 30) from failed


class _Place:
    def __init__(self, taken: dict[UUID, int], owner: UUID, most: int) -> None:
        self._taken, self._owner, self._most = taken, owner, most

    def __enter__(self) -> None:
        if self._taken.get(self._owner, 0) >= self._most:
            raise _Refused(429, "too_many_uploads", "Your organization uploads enough at once here. Try again.", 5)
        self._taken[self._owner] = self._taken.get(self._owner, 0) + 1

    def __exit__(self, *_: object) -> None:
        self._taken[self._owner] -= 1
        if not self._taken[self._owner]:
            del self._taken[self._owner]


async def _next(arriving: AsyncIterator[bytes]) -> bytes | None:
    try:
        async with asyncio.timeout(SILENT_SECONDS):
            return await anext(arriving, None)
    except TimeoutError as error:
        raise _Refused(408, "body_too_slow", "The body did not arrive in time.") from error


async def _answer(answer: _Answer, receive: Receive, send: Send) -> None:
    """A client that is still sending would lose the answer if the connection were simply closed."""
    headers = list(answer.start["headers"])
    if not answer.is_yes:
        headers.append((b"connection", b"close"))
    await send({**answer.start, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body, "more_body": True})
    if not answer.is_yes:
        with suppress(TimeoutError, ClientGone):
            async with asyncio.timeout(LINGER_SECONDS):
                async for _ in chunks(receive):
                    pass
    await send({"type": "http.response.body", "body": b""})


def _header(scope: Scope, wanted: bytes) -> str:
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == wanted), "")


def _length(scope: Scope) -> int | None:
    text = _header(scope, b"content-length")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 15 else None
