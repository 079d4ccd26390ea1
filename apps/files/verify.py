"""What came in parts, made whole and read once: is it what its sender said?

No S3 is believed about checksums, for each has its own idea of them; the bytes are read as clients will.
"""

import hashlib
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from hmac import compare_digest
from uuid import UUID

import structlog
from django.db.models import Q
from django.utils.translation import gettext as _

from apps.core import clock
from apps.core.api.problems import Problem
from apps.files import uploads
from apps.files.media_types import HEAD_BYTES
from apps.files.models import Upload, UploadState
from apps.files.stores import store
from apps.files.stores.store import BadParts, NoSuchObject, NoSuchUpload

logger = structlog.get_logger(__name__)

# Longer than any file takes to be read.
LEASE_SECONDS = 1800


@dataclass(frozen=True, slots=True)
class Found:
    size: int
    sha256: str
    parts_sha256: str
    head: bytes


def verify(upload_id: UUID) -> None:
    """By one worker at a time. A store that is away leaves it as it is, for the sweep to ring again."""
    upload = _claim(upload_id)
    if upload is None:
        return
    try:
        _make_whole(upload)
        found = read_through(upload)
    except (BadParts, NoSuchObject) as failed:
        uploads.refuse(upload, "parts_lost", str(failed))
        return
    except BaseException:
        _release(upload)
        raise
    if why := _mismatch(upload, found):
        uploads.refuse(upload, *why)
        return
    try:
        file = uploads.become_file(upload, size=found.size, sha256=found.sha256, head=found.head)
    except Problem as problem:  # a limit that others reached first
        uploads.refuse(upload, str(problem.detail.code), str(problem.detail))  # type: ignore[union-attr]
        return
    if file is not None:
        logger.info(
            "file_stored", file_id=str(file.id), way=upload.way, size=file.size, media_type=file.media_type
        )


def _claim(upload_id: UUID) -> Upload | None:
    now = clock.now()
    waiting = Upload.across_organizations.filter(
        Q(leased_until=None) | Q(leased_until__lt=now), pk=upload_id, state=UploadState.VERIFYING
    )
    if not waiting.update(leased_until=now + timedelta(seconds=LEASE_SECONDS), changed_at=now):
        return None  # somebody else is at it, or it has ended
    return Upload.across_organizations.get(pk=upload_id)


def _release(upload: Upload) -> None:
    Upload.across_organizations.filter(pk=upload.pk, state=UploadState.VERIFYING).update(leased_until=None)


def _make_whole(upload: Upload) -> None:
    try:
        parts = store().parts(upload.key, upload.store_upload)
        store().finish(upload.key, upload.store_upload, parts)
    except NoSuchUpload:
        # Done before, by a worker that died after it: the object is there, or reading it will tell.
        logger.info("upload_was_whole", upload_id=str(upload.id))


def read_through(upload: Upload) -> Found:
    """Hashed as a whole, and part by part where that is what was announced."""
    whole, head, size = hashlib.sha256(), bytearray(), 0
    parts = PartDigests(upload.part_size) if upload.parts_sha256 else None

    def reckon(piece: bytes) -> None:
        whole.update(piece)
        if parts is not None:
            parts.update(piece)

    # While one piece is hashed, the next one comes.
    with ThreadPoolExecutor(1, thread_name_prefix="hash") as hashing:
        reckoned: Future[None] | None = None
        for piece in store().read(upload.key):
            size += len(piece)
            if len(head) < HEAD_BYTES:
                head += piece[: HEAD_BYTES - len(head)]
            if reckoned is not None:
                reckoned.result()
            reckoned = hashing.submit(reckon, piece)
    return Found(size, whole.hexdigest(), parts.hexdigest() if parts else "", bytes(head))


class PartDigests:
    """SHA-256 of the SHA-256s of parts. Of nothing at all: of one empty part."""

    def __init__(self, part_size: int) -> None:
        self._part_size = part_size
        self._digests = hashlib.sha256()
        self._part = hashlib.sha256()
        self._in_part = 0
        self._parts = 0

    def update(self, piece: bytes) -> None:
        view = memoryview(piece)
        while view:
            taken = view[: self._part_size - self._in_part]
            self._part.update(taken)
            self._in_part += len(taken)
            view = view[len(taken) :]
            if self._in_part == self._part_size:
                self._end_part()

    def hexdigest(self) -> str:
        if self._in_part or not self._parts:
            self._end_part()
        return self._digests.hexdigest()

    def _end_part(self) -> None:
        self._digests.update(self._part.digest())
        self._part = hashlib.sha256()
        self._in_part = 0
        self._parts += 1


def _mismatch(upload: Upload, found: Found) -> tuple[str, str] | None:
    if upload.size is not None and found.size != upload.size:
        detail = _("%(size)d bytes were announced and %(found)d arrived.")
        return "wrong_size", detail % {"size": upload.size, "found": found.size}
    told = ((upload.sha256, found.sha256), (upload.parts_sha256, found.parts_sha256))
    if all(compare_digest(said, is_) for said, is_ in told if said):
        return None
    return "wrong_checksum", _("What arrived does not have the checksum that was announced. Upload it again.")
