"""Media that travels within a message, under a name and a type that harm nobody: by link, or a file of ours."""

import asyncio
import re
import ssl
from contextlib import aclosing
from functools import cache
from mimetypes import guess_extension
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from django.conf import settings

from apps.channels.connector import OutboundFile
from apps.channels.content import Media
from apps.channels.errors import MessageRejected, Transient
from apps.core.guarded_http import Answer, CallFailed, GuardedClient, TargetRefused

LARGEST_BYTES = 10 * 1024 * 1024
LONGEST_NAME = 100
UNKNOWN_TYPE = "application/octet-stream"
# What programs show without running anything in it. Not texts, which would be encoded anew on their way.
_TYPES = frozenset(
    {
        "application/pdf",
        "application/zip",
        "application/msword",
        "application/vnd.ms-excel",
        "application/vnd.oasis.opendocument.spreadsheet",
        "application/vnd.oasis.opendocument.text",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "audio/aac",
        "audio/mp4",
        "audio/mpeg",
        "audio/ogg",
        "image/gif",
        "image/jpeg",
        "image/png",
        "image/webp",
        "video/mp4",
        "video/webm",
    }
)
_NOT_IN_A_NAME = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029/\\:*?\"<>|]")


class Attachment(NamedTuple):
    file_name: str
    content: bytes
    media_type: str


async def fetch(media: Media, seconds: float) -> Attachment:
    """Raises Transient where it may be had later, MessageRejected where it may not."""
    networks = settings.OUTBOUND_ALLOWED_NETWORKS
    # A client for each: there is nothing to keep between two fetches but the certificates.
    async with GuardedClient(networks, seconds, LARGEST_BYTES, allow_http=bool(networks), tls=_tls()) as client:
        try:
            answer = await client.request("GET", media.url)
        except TargetRefused as refused:
            raise MessageRejected("media_refused", refused.reason) from refused
        except CallFailed as failed:  # asking twice does no harm
            raise _unreachable(str(failed)) from failed
    if answer.status >= 500 or answer.status in {408, 429}:
        raise _unreachable(f"The media's server answers {answer.status}.")
    if answer.status != 200:
        raise MessageRejected("media_refused", f"The media's server answers {answer.status}.")
    if len(answer.body) >= LARGEST_BYTES:
        raise MessageRejected("media_too_large", f"The media has more than {LARGEST_BYTES} bytes.")
    if answer.truncated:
        raise _unreachable("The media broke off.")
    media_type = _type_of(media, answer)
    return Attachment(_name_of(media, media_type), answer.body, media_type)


async def read(file: OutboundFile, seconds: float) -> Attachment:
    """All of it: a mail is written in one piece. Raises Transient or MessageRejected, as `fetch` does."""
    if file.size > LARGEST_BYTES:
        raise MessageRejected("media_too_large", f"The file has more than {LARGEST_BYTES} bytes.")
    try:
        async with asyncio.timeout(seconds), aclosing(file.pieces()) as pieces:
            content = b"".join([piece async for piece in pieces])
    except TimeoutError as slow:
        raise _unreachable("The file could not be read in time.") from slow
    media_type = file.media_type if file.media_type in _TYPES else UNKNOWN_TYPE
    return Attachment(_safe(file.name) or f"file{guess_extension(media_type) or ''}", content, media_type)


def _unreachable(detail: str) -> Transient:
    return Transient("media_unreachable", detail, blames_provider=False)


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


def _type_of(media: Media, answer: Answer) -> str:
    claimed = media.media_type or answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return claimed if claimed in _TYPES else UNKNOWN_TYPE


def _name_of(media: Media, media_type: str) -> str:
    """As it was given, or as its link ends; a name and nothing else."""
    given = media.file_name or unquote(urlsplit(media.url).path.rpartition("/")[2])
    return _safe(given) or f"{media.kind}{guess_extension(media_type) or ''}"


def _safe(name: str) -> str:
    return _NOT_IN_A_NAME.sub("_", name).strip(". ")[-LONGEST_NAME:]
