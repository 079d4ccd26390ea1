"""Files of ours, when messages leave: links that a provider can follow, or what its connector hands over."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from uuid import UUID

from apps.channels.connector import OutboundFile
from apps.channels.errors import MessageRejected, Transient
from apps.channels.models import ChannelAccount
from apps.channels.registry import connector_class
from apps.files.files import link
from apps.files.models import File
from apps.files.stores import store
from apps.files.stores.store import NoSuchObject, Store, StoreFailed
from apps.messaging.engine.guard import Cleared
from apps.messaging.engine.outcome import Outcome, Result

# Providers fetch at once, or after some retries of their own.
LINK_SECONDS = 3600
# Signing one takes a millisecond, and campaigns send one file to thousands.
LINK_KEPT_SECONDS = 300
LINKS_KEPT = 1024
# A store that is slow to hand out a piece shall not be taken for a provider that is.
PIECE_SECONDS = 10.0


def bring_files(
    account: ChannelAccount, looked_at: Sequence[Cleared | Outcome], lease: UUID
) -> Sequence[Cleared | Outcome]:
    """In one statement, and in none where no message has a file. Those whose file is gone end here."""
    wanted = {
        media.file_id
        for each in looked_at
        if isinstance(each, Cleared) and (media := each.content.media) is not None and media.file_id is not None
    }
    if not wanted:
        return looked_at
    files = File.across_organizations.filter(organization=account.organization_id).in_bulk(list(wanted))
    return [_with_file(account, each, files, lease) if isinstance(each, Cleared) else each for each in looked_at]


def _with_file(
    account: ChannelAccount, cleared: Cleared, files: Mapping[UUID, File], lease: UUID
) -> Cleared | Outcome:
    media = cleared.content.media
    if media is None or media.file_id is None:
        return cleared
    file = files.get(media.file_id)
    if file is None:
        delivery = cleared.delivery
        return Outcome(delivery.message_id, delivery.conversation_id, lease, Result.FAILED, error=_removed())
    rule = connector_class(account.connector).capabilities.media.get(media.kind)
    if rule is not None and rule.by == "upload":
        pieces = partial(_pieces, store(), file.key, file.size)
        return replace(cleared, file=OutboundFile(media.file_name, file.media_type, file.size, pieces))
    url = _link(file, int(time.monotonic() // LINK_KEPT_SECONDS))
    return replace(cleared, content=replace(cleared.content, media=replace(media, url=url)))


@lru_cache(maxsize=LINKS_KEPT)
def _link(file: File, _period: int) -> str:
    return link(file, seconds=LINK_SECONDS).url


async def _pieces(where: Store, key: str, size: int) -> AsyncGenerator[bytes]:
    left = size
    # Never closed by hand: where whoever waited was cut off, a thread may still be in the middle of it.
    reading = await _asked(where.read, key, 0, size)
    while left > 0:
        piece = await _asked(next, reading, b"")
        if not piece:
            raise _unavailable("The storage has less of the file than it had.")
        left -= len(piece)
        yield piece


async def _asked[**P, T](function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The store, in a thread."""
    try:
        async with asyncio.timeout(PIECE_SECONDS):
            return await asyncio.to_thread(function, *args, **kwargs)
    except NoSuchObject as gone:
        raise _removed() from gone
    except StoreFailed as failed:
        raise _unavailable(str(failed)) from failed
    except TimeoutError as slow:
        raise _unavailable("The storage is too slow.") from slow


def _removed() -> MessageRejected:
    return MessageRejected("file_removed", "The file was removed before the message left.")


def _unavailable(detail: str) -> Transient:
    return Transient("file_unavailable", detail, blames_provider=False)
