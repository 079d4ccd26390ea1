"""Files on their way in: begun, received, completed or given up; whichever way they come."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from math import ceil
from uuid import UUID

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from apps.accounts.models import Organization
from apps.core import clock, errands
from apps.core.api.problems import Conflict, Problem
from apps.core.ids import new_id
from apps.files import limits, metrics
from apps.files.media_types import type_of
from apps.files.models import File, Thumbnail, Upload, UploadState, UploadWay
from apps.files.models.upload import COMES_FROM
from apps.files.names import safe_name
from apps.files.signals import upload_ended
from apps.files.stores import store
from apps.files.stores.store import NoSuchUpload, Part, SignedPart, StoreFailed
from apps.files.thumbnails import can_have_one

logger = structlog.get_logger(__name__)

# Tasks about what arrived.
VERIFY = "files.verify"
MAKE_THUMBNAIL = "files.make_thumbnail"
# Of uploads in parts by clients. No S3 takes smaller ones, and 2 GB are 128 of these.
PART_BYTES = 16 * 1024 * 1024
MOST_SIGNED_AT_ONCE = 100
# How long a link for a part lasts.
PART_SECONDS = 3600
# Refused for no fault of the file's.
BROKEN = frozenset({"client_gone", "failed", "body_too_slow", "storage_unavailable", "storage_full", "parts_lost",
                    "wrong_size", "wrong_checksum"})  # fmt: skip


class UploadExists(Conflict):
    default_code = "upload_exists"


class UploadEnded(Conflict):
    default_code = "upload_ended"


class PartsMissing(Conflict):
    default_code = "parts_missing"


class NoSuchPart(Problem):
    default_code = "no_such_part"


@dataclass(frozen=True, slots=True)
class Checksums:
    """What the sender says of it, in hexadecimal; one of them is enough."""

    sha256: str = ""
    # SHA-256 of the SHA-256s of all parts, one after the other: a browser can reckon that without the whole.
    parts_sha256: str = ""


def begin(
    organization: Organization,
    way: UploadWay,
    *,
    name: str = "",
    size: int | None = None,
    least: int | None = None,
    upload_id: UUID | None = None,
) -> Upload:
    """Within the organization's limits; the row is committed before anything lies in the store.

    `least` is how much of the announced size is the file for certain, where that is not all of it.
    """
    now = clock.now()
    upload = Upload(
        id=upload_id or new_id(),
        organization=organization,
        way=way,
        name=safe_name(name) if name else "",
        size=size,
        part_size=_part_size(size),
        created_at=now,
        changed_at=now,
    )
    try:
        with transaction.atomic():
            limits.check(organization, size if least is None else least)
            upload.save(force_insert=True)
    except IntegrityError as error:
        raise UploadExists(_("This upload_id was used before. Use a new one.")) from error
    return upload


def begin_direct(organization: Organization, name: str, size: int) -> Upload:
    upload = begin(organization, UploadWay.DIRECT, name=name, size=size)
    begin_in_parts(upload)
    return upload


def begin_in_parts(upload: Upload) -> None:
    upload.store_upload = store().begin(upload.key)
    Upload.across_organizations.filter(pk=upload.pk).update(store_upload=upload.store_upload)


def part_count(upload: Upload) -> int:
    """An empty file has one part, which is empty."""
    return max(1, ceil((upload.size or 0) / upload.part_size))


def size_of_part(upload: Upload, number: int) -> int:
    size = upload.size or 0
    return min(upload.part_size, size - (number - 1) * upload.part_size)


def sign_parts(upload: Upload, numbers: Sequence[int]) -> list[SignedPart]:
    """Again as often as asked, for as long as it is being received."""
    _must_be_receiving(upload)
    most = part_count(upload)
    if wrong := [number for number in numbers if not 1 <= number <= most]:
        raise NoSuchPart(
            _("Part %(number)d does not exist: this upload has %(most)d.") % {"number": wrong[0], "most": most}
        )
    hear_of(upload)
    signing = store()
    return [
        signing.sign_part(upload.key, upload.store_upload, number, size_of_part(upload, number), PART_SECONDS)
        for number in numbers
    ]


def arrived(upload: Upload) -> list[Part]:
    """Which parts of it the store has."""
    if upload.state != UploadState.RECEIVING or not upload.store_upload:
        return []
    try:
        return store().parts(upload.key, upload.store_upload)
    except NoSuchUpload:
        return []


def complete(upload: Upload, checksums: Checksums) -> Upload:
    """All parts are there. Whether they are what was said is found out by a worker, which reads them once."""
    _must_be_receiving(upload)
    sizes = {part.number: part.size for part in arrived(upload)}
    if missing := [n for n in range(1, part_count(upload) + 1) if sizes.get(n) != size_of_part(upload, n)]:
        some = ", ".join(str(number) for number in missing[:20])
        detail = _("%(count)d parts are missing or not whole: %(some)s. Upload them, then complete again.")
        raise PartsMissing(detail % {"count": len(missing), "some": some}, missing=missing[:1000])
    with transaction.atomic():
        changed = move(upload, UploadState.VERIFYING, received=upload.size,
                       sha256=checksums.sha256, parts_sha256=checksums.parts_sha256)  # fmt: skip
        if changed:
            errands.start_on_commit(VERIFY, upload.id)
    if not changed:
        _must_be_receiving(Upload.across_organizations.get(pk=upload.pk))
    return upload


def abort(upload: Upload) -> Upload:
    """Nothing of it is kept. The sweep looks again, in case that something was still on its way."""
    with transaction.atomic():
        if aborted := move(upload, UploadState.ABORTED):
            upload_ended.send(Upload, upload=upload, file=None)
    if not aborted:
        _must_be_receiving(Upload.across_organizations.get(pk=upload.pk))
    else:
        metrics.UPLOADS.add("broken")
    clean_up(upload)
    return upload


def abort_abandoned(upload: Upload) -> None:
    """By the sweep, unless it went on meanwhile."""
    still = Upload.across_organizations.filter(pk=upload.pk, changed_at=upload.changed_at)
    with transaction.atomic():
        aborted = still.filter(state=UploadState.RECEIVING).update(
            state=UploadState.ABORTED, changed_at=clock.now()
        )
        if aborted:
            upload_ended.send(Upload, upload=upload, file=None)
    if aborted:
        metrics.UPLOADS.add("broken")
        clean_up(upload)


def refuse(upload: Upload, code: str, detail: str) -> None:
    with transaction.atomic():
        if not move(upload, UploadState.REFUSED, error_code=code, error_detail=detail[:300]):
            return
        upload_ended.send(Upload, upload=upload, file=None)
    logger.info("upload_refused", upload_id=str(upload.id), way=upload.way, reason=code)
    metrics.UPLOADS.add("broken" if code in BROKEN else "refused")
    clean_up(upload)


def clean_up(upload: Upload) -> bool:
    """Remove what the store has of it. False where it could not be asked: the sweep tries again."""
    try:
        for key in (upload.key, f"{upload.key}.webp"):
            store().remove(key)
        store().abort_all(upload.key)
    except StoreFailed as failed:
        logger.warning("upload_not_cleaned_up", upload_id=str(upload.id), reason=str(failed))
        return False
    return True


def hear_of(upload: Upload, received: int | None = None) -> bool:
    """It goes on. False where it has ended meanwhile."""
    told = {} if received is None else {"received": received}
    rows = Upload.across_organizations.filter(pk=upload.pk, state=UploadState.RECEIVING)
    return bool(rows.update(changed_at=clock.now(), **told))


def name_it(upload: Upload, name: str) -> None:
    upload.name = safe_name(name)
    Upload.across_organizations.filter(pk=upload.pk).update(name=upload.name)


def become_file(upload: Upload, *, size: int, sha256: str, head: bytes) -> File | None:
    """What was received is whole and is what was said. None where it was given up meanwhile."""
    media_type = type_of(head, upload.name)
    file = File(
        id=upload.id,
        organization_id=upload.organization_id,
        name=upload.name or safe_name(""),
        size=size,
        sha256=sha256,
        media_type=media_type,
        thumbnail=Thumbnail.WANTED if can_have_one(media_type, size) else Thumbnail.NONE,
        created_at=clock.now(),
    )
    with transaction.atomic():
        policy = limits.locked_policy(upload.organization_id)
        limits.check_size(policy, size)
        limits.check_quota(policy, size)
        if not move(upload, UploadState.READY, received=size, size=size, sha256=sha256, leaves_bytes=False):
            return None
        file.save(force_insert=True)
        limits.count(upload.organization_id, size)
        upload_ended.send(Upload, upload=upload, file=file)
        if file.thumbnail == Thumbnail.WANTED:
            errands.start_on_commit(MAKE_THUMBNAIL, file.id)
        transaction.on_commit(partial(_count_stored, size))
    return file


def _count_stored(size: int) -> None:
    metrics.UPLOADS.add("stored")
    metrics.UPLOAD_BYTES.add(by=size)


def move(upload: Upload, state: UploadState, **values: object) -> bool:
    """Into a state that may follow the one it is in now. False where somebody else was there first."""
    rows = Upload.across_organizations.filter(pk=upload.pk, state__in=COMES_FROM[state])
    values |= {"state": state, "changed_at": clock.now()}
    if not rows.update(**values):
        return False
    for name, value in values.items():
        setattr(upload, name, value)
    return True


def expires_at(upload: Upload) -> datetime:
    return upload.changed_at + timedelta(hours=settings.UPLOAD_HOURS)


def _must_be_receiving(upload: Upload) -> None:
    if upload.state != UploadState.RECEIVING:
        raise UploadEnded(_("This upload is %(state)s. Begin a new one.") % {"state": upload.get_state_display()})


def _part_size(size: int | None) -> int:
    """As few parts as an S3 lists at once, however large the file."""
    megabyte = 1024 * 1024
    return max(PART_BYTES, ceil((size or 0) / 1000 / megabyte) * megabyte)
