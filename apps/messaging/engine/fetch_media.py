"""What people send is fetched from the provider into a file of ours.

The wish is written with the message. A worker takes it under a lease, asks the connector where the file lies and
puts it into the store part by part; one that dies is followed by another, which goes on after the parts that are
there. That the file is whole, and what it is, the files app finds out; media_ended.py tells of it.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from mimetypes import guess_extension
from typing import TYPE_CHECKING
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from apps.accounts.models import Organization
from apps.channels.connector import MediaSource
from apps.channels.content import Media, from_document
from apps.channels.errors import MessageRejected, RateLimited, RecipientRejected, SendFailed, Transient
from apps.channels.models import ChannelAccount
from apps.channels.registry import connector
from apps.core import clock, errands
from apps.core.api.problems import Problem
from apps.core.guarded_http import GuardedClient
from apps.core.ids import new_id
from apps.core.redis import RedisError
from apps.files import limits, uploads
from apps.files.models import Upload, UploadState, UploadWay
from apps.files.stores import store
from apps.files.stores.store import NoSuchUpload, StoreFailed
from apps.messaging.engine import media_parts
from apps.messaging.engine.bells import waiting_tasks
from apps.messaging.engine.loop import Loop
from apps.messaging.engine.media_ended import give_up
from apps.messaging.models import FetchState, MediaFetch, Message

if TYPE_CHECKING:
    from apps.messaging.engine.incoming import Received

logger = structlog.get_logger(__name__)

TASK = "messaging.fetch_media"
QUEUE = "files"
# Longer than any part takes, from the provider and into the store.
LEASE = timedelta(minutes=3)
# Before the next attempt. Providers keep files for a week at least.
WAITS = tuple(timedelta(seconds=seconds) for seconds in (10, 60, 300, 1800, 7200))
MOST_ATTEMPTS = len(WAITS) + 1
# A bell that was not answered for so long was lost.
UNANSWERED = timedelta(minutes=1)
AT_ONCE = 200


class _LeaseLost(Exception):
    """Somebody else is at it, or it has ended."""


class _Later(Exception):
    """Too much is under way. It is nobody's failure."""


@dataclass(frozen=True, slots=True)
class _Taken:
    message_id: UUID
    lease: UUID
    attempt: int
    upload_id: UUID
    organization: Organization
    account: ChannelAccount
    media: Media = field(repr=False)
    provider_id: str
    # None before the first part.
    upload: Upload | None


def want(received: Sequence["Received"]) -> None:
    """In the transaction that writes the messages."""
    now = clock.now()
    wanted = [
        MediaFetch(
            message_id=each.message_id,
            organization_id=each.account.organization_id,
            free_at=now,
            due_at=now + UNANSWERED,
            created_at=now,
        )
        for each in received
        if each.content.media is not None
    ]
    if not wanted:
        return
    MediaFetch.across_organizations.bulk_create(wanted)
    for fetch_ in wanted:
        errands.start_on_commit(TASK, fetch_.message_id)


def ring_due() -> None:
    """By the sweep: bells that were lost, workers that died, attempts whose time has come."""
    try:
        if (waiting_tasks(QUEUE) or 0) >= AT_ONCE:
            return  # whoever works on those comes to these too
    except RedisError:
        return
    now = clock.now()
    due = MediaFetch.across_organizations.filter(state=FetchState.WAITING, due_at__lte=now).order_by("due_at")
    with transaction.atomic():
        found = list(due.select_for_update(skip_locked=True).values_list("pk", flat=True)[:AT_ONCE])
        if found:
            MediaFetch.across_organizations.filter(pk__in=found).update(due_at=now + UNANSWERED)
    for message_id in found:
        errands.start(TASK, message_id)


async def fetch(own: Loop, message_id: UUID) -> None:
    taken = await own.in_database(_take, message_id)
    if taken is None:
        return
    try:
        await _carry(own, taken)
    except _LeaseLost:
        logger.info("media_fetch_lost", message_id=str(message_id))
    except _Later:
        await own.in_database(_put_off, taken, UNANSWERED, attempt=taken.attempt - 1)
    except StoreFailed as failed:
        await own.in_database(_settle, taken, Transient("storage", str(failed)))
    except SendFailed as failed:
        await own.in_database(_settle, taken, failed)


def _take(message_id: UUID) -> _Taken | None:
    now, lease = clock.now(), new_id()
    waiting = MediaFetch.across_organizations.filter(pk=message_id, state=FetchState.WAITING)
    with transaction.atomic():
        found = waiting.filter(free_at__lte=now).select_for_update(skip_locked=True).first()
        if found is None:
            return None
        found.attempt, found.lease = found.attempt + 1, lease
        found.free_at = found.due_at = now + LEASE
        found.save(update_fields=["attempt", "lease", "free_at", "due_at"])
    message = Message.across_organizations.select_related("account", "organization").get(pk=message_id)
    media = from_document("", message.content).media
    upload = Upload.across_organizations.filter(pk=found.upload_id).first()
    if media is None or (upload is not None and upload.state != UploadState.RECEIVING):
        give_up(found.upload_id, "aborted", "Its upload was aborted.")
        return None
    taken = _Taken(
        message_id, lease, found.attempt, found.upload_id, message.organization, message.account, media,
        message.provider_id or "", upload,
    )  # fmt: skip
    if found.attempt > MOST_ATTEMPTS:
        _settle(taken, MessageRejected("worker_lost", "Workers died of it."))
        return None
    return taken


async def _carry(own: Loop, taken: _Taken) -> None:
    upload = taken.upload
    stored = await asyncio.to_thread(_stored, upload)
    if upload is None or stored is None or not stored.is_whole:
        most = await own.in_database(_most, taken.organization)
        async with media_parts.media_client() as client:
            source = await _locate(client, taken, most)
            if upload is None or stored is None:
                upload, stored = await own.in_database(_begin, taken, source), _Stored()
            async for part in media_parts.parts(client, source, stored.size, most):
                await own.in_database(_go_on, taken, upload, stored.size)
                stored.add(len(part))
                await asyncio.to_thread(store().put_part, upload.key, upload.store_upload, stored.parts, part)
                await own.in_database(_go_on, taken, upload, stored.size)
    await own.in_database(_hand_over, taken, upload, stored.size)
    logger.info("media_fetched", message_id=str(taken.message_id), size=stored.size, attempt=taken.attempt)


@dataclass(slots=True)
class _Stored:
    """Parts in the store, one after the other."""

    parts: int = 0
    size: int = 0
    # The last of all is among them: only that one may be smaller.
    is_whole: bool = False

    def add(self, size: int) -> None:
        self.parts += 1
        self.size += size
        self.is_whole = size < media_parts.PART_BYTES


def _stored(upload: Upload | None) -> _Stored | None:
    """None where the store knows nothing of it."""
    if upload is None or not upload.store_upload:
        return None
    try:
        there = store().parts(upload.key, upload.store_upload)
    except NoSuchUpload:
        return None
    stored = _Stored()
    for part in there:
        if stored.is_whole or part.number != stored.parts + 1:
            break
        stored.add(part.size)
    return stored


def _most(organization: Organization) -> int:
    return min(settings.FILES_FETCHED_MOST_BYTES, limits.largest_for(organization))


async def _locate(client: GuardedClient, taken: _Taken, most: int) -> MediaSource:
    account = taken.account
    source = await connector(account.connector).locate_media(
        client, account.credential_values, taken.media, taken.provider_id
    )
    if source.size is not None and source.size > most:
        raise media_parts.too_large(most)
    return source


def _begin(taken: _Taken, source: MediaSource) -> Upload:
    upload = taken.upload
    if upload is None:
        upload = _admit(taken, source)
    else:  # whatever was begun is of no use any more
        store().abort_all(upload.key)
    uploads.begin_in_parts(upload)
    return upload


def _admit(taken: _Taken, source: MediaSource) -> Upload:
    name = _name(taken.media, source.media_type or taken.media.media_type)
    try:
        return uploads.begin(
            taken.organization, UploadWay.FETCHED, name=name, size=source.size, upload_id=taken.upload_id
        )
    except limits.TooManyUploads as problem:
        raise _Later from problem
    except uploads.UploadExists as problem:
        raise _LeaseLost from problem
    except Problem as problem:
        raise MessageRejected(problem.default_code, str(problem.detail)) from problem


def _name(media: Media, media_type: str) -> str:
    ending = guess_extension(media_type.partition(";")[0].strip().lower())
    return media.file_name or f"{media.kind}{ending or ''}"


def _go_on(taken: _Taken, upload: Upload, received: int) -> None:
    """The lease lasts anew, unless somebody else has it or the upload was given up."""
    until = clock.now() + LEASE
    if not _held(taken).update(free_at=until, due_at=until) or not uploads.hear_of(upload, received):
        raise _LeaseLost


def _hand_over(taken: _Taken, upload: Upload, size: int) -> None:
    """The files app reads all of it once more. What was announced counts no more: so much is there."""
    with transaction.atomic():
        if not _held(taken).update(state=FetchState.FETCHED, lease=None):
            raise _LeaseLost
        if not uploads.move(upload, UploadState.VERIFYING, received=size, size=size):
            raise _LeaseLost
        errands.start_on_commit(uploads.VERIFY, upload.id)


def _settle(taken: _Taken, failed: SendFailed) -> None:
    """Another attempt, or none."""
    logger.info("media_not_fetched", message_id=str(taken.message_id), attempt=taken.attempt, reason=failed.code)
    if isinstance(failed, MessageRejected | RecipientRejected) or taken.attempt >= MOST_ATTEMPTS:
        if _held(taken).exists():
            give_up(taken.upload_id, failed.code, failed.detail)
        return
    wait = WAITS[taken.attempt - 1]
    if isinstance(failed, Transient | RateLimited) and failed.retry_after:
        wait = min(max(wait, timedelta(seconds=failed.retry_after)), WAITS[-1])
    _put_off(taken, wait)


def _put_off(taken: _Taken, wait: timedelta, attempt: int | None = None) -> None:
    at = clock.now() + wait
    again = taken.attempt if attempt is None else attempt
    _held(taken).update(lease=None, free_at=at, due_at=at, attempt=again)


def _held(taken: _Taken) -> QuerySet[MediaFetch]:
    return MediaFetch.across_organizations.filter(pk=taken.message_id, lease=taken.lease, state=FetchState.WAITING)
