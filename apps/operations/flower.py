"""Ask Flower, which listens where only we reach it: bounded in time, in size, and in how many ask at once."""

import http.client
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from threading import BoundedSemaphore
from urllib.parse import urlsplit

from django.conf import settings

# Where the admin offers it. Flower is started with `--url-prefix` of the same, so its links need no rewriting.
PREFIX = "/admin/flower/"
# What a browser fetches of one page at once. Beyond that they wait a little, and then are refused.
MOST_AT_ONCE = 6
WAIT_SECONDS = 3.0
# Until it takes the call or sends on, and until all of its answer is here.
SILENT_SECONDS = 10.0
WHOLE_SECONDS = 20.0
MOST_BYTES = 8 * 1024 * 1024
_PIECE_BYTES = 64 * 1024

_places = BoundedSemaphore(MOST_AT_ONCE)


class Busy(Exception):
    """As many ask as may at once."""


class Away(Exception):
    """There is no answer that could be shown. Says why, for the log and for whoever runs the installation."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    content: bytes


def ask(target: str, headers: Mapping[str, str]) -> Answer:
    """GET, whatever the person did: nothing that is asked here changes anything. `target` is path and query."""
    with _place():
        connection = _connection()
        try:
            connection.request("GET", target, headers=dict(headers) | {"Authorization": _secret()})
            return _read(connection.getresponse(), time.monotonic() + WHOLE_SECONDS)
        except (OSError, http.client.HTTPException) as error:
            raise Away(type(error).__name__) from error
        finally:
            connection.close()


@contextmanager
def _place() -> Iterator[None]:
    if not _places.acquire(timeout=WAIT_SECONDS):
        raise Busy
    try:
        yield
    finally:
        _places.release()


def _connection() -> http.client.HTTPConnection:
    parts = urlsplit(settings.FLOWER_URL)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    return kind(parts.hostname or "", parts.port, timeout=SILENT_SECONDS)


def _secret() -> str:
    return f"Basic {b64encode(settings.FLOWER_BASIC_AUTH.encode()).decode()}"


def _read(response: http.client.HTTPResponse, until: float) -> Answer:
    """In pieces, so that neither a large answer nor a slow one is waited for to its end."""
    content = bytearray()
    while piece := response.read1(_PIECE_BYTES):
        content += piece
        if len(content) > MOST_BYTES:
            raise Away(f"more than {MOST_BYTES} bytes")
        if time.monotonic() > until:
            raise Away(f"more than {WHOLE_SECONDS:.0f} seconds")
    if response.length:
        raise Away("the answer broke off")
    return Answer(response.status, dict(response.getheaders()), bytes(content))
