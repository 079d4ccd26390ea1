"""What came in parts, made whole and read once: is it what its sender said?

No S3 is believed about checksums, for each has its own idea of them; the bytes are read as clients will.
"""

from datetime import timedelta
from hmac import compare_digest
from uuid import UUID

import structlog
from django.db.models import Q
from django.utils.translation import gettext as _

from apps.core import clock
from apps.core.api.problems import Problem
from apps.files import uploads
from apps.files.models import Upload, UploadState
from apps.files.reading_through import Found, read_through
from apps.files.stores import store
from apps.files.stores.store import BadParts, NoSuchObject, NoSuchUpload

logger = structlog.get_logger(__name__)

# Longer than any file takes to be read.
LEASE_SECONDS = 1800


def verify(upload_id: UUID) -> None:
    """By one worker at a time. A store that is away leaves it as it is, for the sweep to ring again."""
    upload = _claim(upload_id)
    if upload is None:
        return
    try:
        _make_whole(upload)
        found = read_through(upload.key, upload.size or 0, upload.part_size if upload.parts_sha256 else None)
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


def _mismatch(upload: Upload, found: Found) -> tuple[str, str] | None:
    if found.size != upload.size:
        detail = _("%(size)d bytes were announced and %(found)d arrived.")
        return "wrong_size", detail % {"size": upload.size, "found": found.size}
    told = ((upload.sha256, found.sha256), (upload.parts_sha256, found.parts_sha256))
    if all(compare_digest(said, is_) for said, is_ in told if said):
        return None
    return "wrong_checksum", _("What arrived does not have the checksum that was announced. Upload it again.")
