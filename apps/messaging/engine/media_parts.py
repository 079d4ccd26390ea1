"""A file as a provider hands it out, in ranges of one part each: whoever goes on after a worker that died asks for
none of them twice.
"""

import re
import ssl
from collections.abc import AsyncIterator, Iterator
from functools import cache

from django.conf import settings

from apps.channels.connector import MOST_WHOLE_BYTES, MediaSource
from apps.channels.errors import MessageRejected, RateLimited, SendFailed, Transient
from apps.channels.http_connector import retry_after
from apps.core.guarded_http import Answer, CallFailed, GuardedClient, TargetRefused

# An S3 takes no smaller ones than 5 MiB, but as the last.
PART_BYTES = 8 * 1024 * 1024
# For one of them.
REQUEST_SECONDS = 60.0
# Base64 within JSON takes a third more.
_MOST_ANSWER_BYTES = MOST_WHOLE_BYTES // 3 * 4 + 64 * 1024
_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,19})-[0-9]{1,19}/([0-9]{1,19}|\*)")


def media_client() -> GuardedClient:
    """As for providers, but patient, and ready for much."""
    networks = settings.OUTBOUND_ALLOWED_NETWORKS
    return GuardedClient(networks, REQUEST_SECONDS, _MOST_ANSWER_BYTES, allow_http=bool(networks), tls=_tls())


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


async def parts(client: GuardedClient, source: MediaSource, start: int, most: int) -> AsyncIterator[bytes]:
    """All that comes after `start`, in parts of which only the last is smaller. An empty file is one, empty.

    Raises what errors.py says; MessageRejected where asking again would be in vain. What the provider said of its
    size is not believed: `most` bytes are enough, whatever comes.
    """
    if source.content is not None:
        for part in _cut(source.content, start, most):
            yield part
        return
    begin, is_last = start, False
    while not is_last:
        answer = await _ask(client, source, start)
        if answer.status != 206:
            for part in _rest(answer, start, most, has_worked=start > begin):
                yield part
            return
        part, is_last = _part_of(answer, start, most)
        yield part
        start += len(part)


def too_large(most: int) -> MessageRejected:
    return MessageRejected("too_large", f"The file has more than {most} bytes.")


async def _ask(client: GuardedClient, source: MediaSource, start: int) -> Answer:
    headers = {**source.headers, "Range": f"bytes={start}-{start + PART_BYTES - 1}"}
    try:
        return await client.request("GET", source.url, headers=headers)
    except TargetRefused as refused:
        raise MessageRejected("target_refused", refused.reason) from refused
    except CallFailed as failed:  # asking twice does no harm
        raise Transient("unreachable", str(failed)) from failed


def _part_of(answer: Answer, start: int, most: int) -> tuple[bytes, bool]:
    """What was asked for, and whether nothing comes after it."""
    told = _CONTENT_RANGE.fullmatch(answer.headers.get("Content-Range", ""))
    if told is None or int(told[1]) != start or len(answer.body) > PART_BYTES:
        raise MessageRejected("bad_answer", "The provider hands out another part than was asked for.")
    size = None if told[2] == "*" else int(told[2])
    expected = 0 if size is None else min(PART_BYTES, size - start)
    if answer.truncated or len(answer.body) < expected:
        raise Transient("broke_off", "The file broke off.")
    end = start + len(answer.body)
    if max(size or 0, end) > most:
        raise too_large(most)
    return answer.body, len(answer.body) < PART_BYTES or end == size


def _rest(answer: Answer, start: int, most: int, *, has_worked: bool) -> Iterator[bytes]:
    """Of an answer that is no range: all of the file, or that nothing comes after `start`."""
    if answer.status == 416:
        return iter([] if start else [b""])
    if answer.status == 200:
        return _cut(_whole(answer), start, most)
    raise _why(answer, has_worked=has_worked)


def _whole(answer: Answer) -> bytes:
    """Of a server that knows no ranges."""
    if len(answer.body) > MOST_WHOLE_BYTES:
        raise MessageRejected("no_ranges", "The provider hands out so large a file only at once.")
    if answer.truncated:
        raise Transient("broke_off", "The file broke off.")
    return answer.body


def _cut(content: bytes, start: int, most: int) -> Iterator[bytes]:
    if len(content) > most:
        raise too_large(most)
    if not content:
        yield b""
    for place in range(start, len(content), PART_BYTES):
        yield content[place : place + PART_BYTES]


def _why(answer: Answer, *, has_worked: bool) -> SendFailed:
    status = answer.status
    if status == 429:
        return RateLimited("429", "The provider hands out no more for now.", retry_after=retry_after(answer))
    # A link that led there a moment ago has expired, and another one can be had.
    if status >= 500 or status in {408, 425} or has_worked:
        return Transient(str(status), f"The provider answers {status}.", retry_after=retry_after(answer))
    if status in {404, 410}:
        return MessageRejected("gone", "The provider does not have the file any more.")
    if 300 <= status < 400:
        return MessageRejected("redirected", "The provider's link leads elsewhere.")
    return MessageRejected("refused", f"The provider answers {status}.")
