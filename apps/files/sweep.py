"""What nobody will finish, and what nobody needs: found by the clock, removed in small steps.

Every step can be repeated and interrupted. First the database says that something is gone, then the store forgets
it; in between its upload's row tells where it lies.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from apps.core import clock, errands
from apps.files import files, uploads
from apps.files.models import File, StoragePolicy, Thumbnail, Upload, UploadState, UploadWay

logger = structlog.get_logger(__name__)

AT_ONCE = 200
# Of one run; the next goes on where it ended.
MOST_STEPS = 50
# A body that nothing was heard of for so long: its web process died.
STREAM_SILENT = timedelta(minutes=5)
# Late enough that nothing of an ended upload is on its way any more.
LAST_LOOK = timedelta(hours=1)
# How long one can read what became of an upload.
REMEMBERED = timedelta(days=7)
UNRUNG = timedelta(minutes=1)


@dataclass
class Swept:
    """By what was done, or would be; with bytes where those are known."""

    abandoned_uploads: int = 0
    unused_files: int = 0
    unused_bytes: int = 0
    outlived_files: int = 0
    outlived_bytes: int = 0
    names: list[str] = field(default_factory=list)


def sweep(*, dry_run: bool = False) -> Swept:
    swept = Swept()
    for upload in _some(_abandoned(), dry_run):
        swept.abandoned_uploads += 1
        swept.names.append(f"upload {upload.id} {upload.name}")
        if not dry_run:
            uploads.abort_abandoned(upload)
    for old, what in ((_unused(), "unused"), (_outlived(), "outlived")):
        for file in _some(old, dry_run):
            _count(swept, what, file)
            if not dry_run:
                _remove(file, what)
    if not dry_run:
        _clean_up()
        _forget_ended()
        logger.info("files_swept", abandoned=swept.abandoned_uploads, unused=swept.unused_files,
                    outlived=swept.outlived_files)  # fmt: skip
    return swept


def ring_forgotten() -> None:
    """What waits for a worker of which none was told."""
    now = clock.now()
    waiting = Upload.across_organizations.filter(
        Q(leased_until=None) | Q(leased_until__lt=now), state=UploadState.VERIFYING, changed_at__lt=now - UNRUNG
    )
    for upload in waiting.order_by("changed_at")[:AT_ONCE]:
        errands.start(uploads.VERIFY, upload.id)
    wanted = File.across_organizations.filter(thumbnail=Thumbnail.WANTED, created_at__lt=now - UNRUNG)
    for file in wanted.order_by("created_at")[:AT_ONCE]:
        errands.start(uploads.MAKE_THUMBNAIL, file.id)


def _abandoned() -> QuerySet[Upload]:
    now = clock.now()
    patience = timedelta(hours=settings.UPLOAD_HOURS)
    silent = Q(way=UploadWay.STREAMED, changed_at__lt=now - STREAM_SILENT) | Q(changed_at__lt=now - patience)
    return Upload.across_organizations.filter(silent, state=UploadState.RECEIVING).order_by("changed_at")


def _unused() -> QuerySet[File]:
    """By the installation's days, or the organization's own."""
    now = clock.now()
    own = StoragePolicy.across_organizations.exclude(unused_days=None)
    after = Q(created_at__lt=now - timedelta(days=settings.FILES_UNUSED_DAYS))
    after &= ~Q(organization__in=own.values("organization"))
    for policy in own:
        assert policy.unused_days is not None
        own_after = now - timedelta(days=policy.unused_days)
        after |= Q(organization=policy.organization_id, created_at__lt=own_after)
    return File.across_organizations.filter(after, is_used=False).order_by("created_at")


def _outlived() -> QuerySet[File]:
    now = clock.now()
    after = Q(pk__in=[])
    for policy in StoragePolicy.across_organizations.exclude(keep_days=None):
        assert policy.keep_days is not None
        after |= Q(organization=policy.organization_id, created_at__lt=now - timedelta(days=policy.keep_days))
    return File.across_organizations.filter(after).order_by("created_at")


def _some[R: (Upload, File)](rows: QuerySet[R], dry_run: bool) -> Iterator[R]:
    """In steps, each looked up anew once the one before is removed; a dry run looks at one larger step."""
    if dry_run:
        yield from rows[: AT_ONCE * MOST_STEPS]
        return
    for _ in range(MOST_STEPS):
        found = list(rows[:AT_ONCE])
        yield from found
        if len(found) < AT_ONCE:
            return


def _remove(file: File, what: str) -> None:
    with transaction.atomic():
        still = File.across_organizations.filter(pk=file.pk).select_for_update().first()
        if still is None or (what == "unused" and still.is_used):
            return  # a message took it meanwhile
        gone = files.forget([still])
    files.remove_bytes(gone)


def _count(swept: Swept, what: str, file: File) -> None:
    if what == "unused":
        swept.unused_files += 1
        swept.unused_bytes += file.size
    else:
        swept.outlived_files += 1
        swept.outlived_bytes += file.size
    swept.names.append(f"{what} file {file.id} {file.name}")


def _clean_up() -> None:
    """A second look at whatever ended without becoming a file."""
    ended = [UploadState.ABORTED, UploadState.REFUSED, UploadState.REMOVED]
    left = Upload.across_organizations.filter(
        state__in=ended, leaves_bytes=True, changed_at__lt=clock.now() - LAST_LOOK
    )
    for upload in left.order_by("changed_at")[: AT_ONCE * MOST_STEPS]:
        if uploads.clean_up(upload):
            Upload.across_organizations.filter(pk=upload.pk).update(leaves_bytes=False)


def _forget_ended() -> None:
    old = Upload.across_organizations.filter(leaves_bytes=False, changed_at__lt=clock.now() - REMEMBERED)
    old.filter(pk__in=old.order_by("changed_at").values("pk")[: AT_ONCE * MOST_STEPS]).delete()
