"""Files that are whole: handed out, named as used, removed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction

from apps.accounts import audit
from apps.accounts.models import Organization
from apps.accounts.principal import Principal
from apps.core import clock
from apps.files import limits, uploads
from apps.files.media_types import handed_out_as, may_be_shown
from apps.files.models import File, Thumbnail, Upload, UploadState, UploadWay
from apps.files.stores import store
from apps.files.stores.store import Download

logger = structlog.get_logger(__name__)

THUMBNAIL_TYPE = "image/webp"


@dataclass(frozen=True, slots=True)
class Link:
    url: str
    expires_at: datetime


def link(file: File, *, seconds: int | None = None, inline: bool = False) -> Link:
    """Whoever has it may download the file, until it expires. Markup is never shown, only saved."""
    lasts = settings.FILES_LINK_SECONDS if seconds is None else seconds
    shown = inline and may_be_shown(file.media_type)
    return _signed(file.key, file.name, handed_out_as(file.media_type), shown, lasts)


def thumbnail_link(file: File, *, seconds: int | None = None) -> Link | None:
    if file.thumbnail != Thumbnail.MADE:
        return None
    lasts = settings.FILES_LINK_SECONDS if seconds is None else seconds
    return _signed(file.thumbnail_key, f"{file.name}.webp", THUMBNAIL_TYPE, True, lasts)


def _signed(key: str, name: str, media_type: str, is_inline: bool, seconds: int) -> Link:
    expires_at = clock.now() + timedelta(seconds=seconds)
    return Link(store().sign_download(Download(key, name, media_type, is_inline, seconds)), expires_at)


def use(organization: Organization, file_ids: Iterable[UUID]) -> dict[UUID, File]:
    """Of this organization, by id; they are not taken for unused any more. Within a transaction."""
    wanted = set(file_ids)
    if not wanted:
        return {}
    rows = File.objects.for_organization(organization).filter(pk__in=wanted)
    # In one order: the sweep, or another request, may want the same.
    new = rows.filter(is_used=False).order_by("pk").select_for_update()
    if ids := list(new.values_list("pk", flat=True)):
        rows.filter(pk__in=ids).update(is_used=True)
    return {file.id: file for file in rows}


def delete(principal: Principal, file: File) -> None:
    with transaction.atomic():
        audit.record(principal.actor, "file.deleted", file, organization=principal.organization)
        gone = forget([file])
    remove_bytes(gone)


def forget(files: Sequence[File]) -> list[Upload]:
    """Within a transaction. Their uploads are written down again, so that their bytes are always found."""
    ids = [file.id for file in files]
    locked = list(File.across_organizations.filter(pk__in=ids).order_by("pk").select_for_update())
    now = clock.now()
    gone = [
        Upload(
            id=file.id, organization_id=file.organization_id, way=UploadWay.STREAMED, state=UploadState.REMOVED,
            name=file.name, size=file.size, received=file.size, created_at=now, changed_at=now, leaves_bytes=True,
        )
        for file in locked
    ]  # fmt: skip
    Upload.across_organizations.bulk_create(
        gone,
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=["state", "changed_at", "leaves_bytes"],
    )
    for file in locked:
        limits.count(file.organization_id, -file.size)
    File.across_organizations.filter(pk__in=[file.id for file in locked]).delete()
    return gone


def remove_bytes(gone: Iterable[Upload]) -> None:
    for upload in gone:
        if uploads.clean_up(upload):
            Upload.across_organizations.filter(pk=upload.pk).update(leaves_bytes=False)
