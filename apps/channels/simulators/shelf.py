"""What simulated people send: held in memory, and handed out in ranges as the providers do."""

import secrets
from dataclasses import dataclass, field

from aiohttp import web

# All that is held; the oldest goes.
MOST_BYTES = 256 * 1024 * 1024
_ID_DIGITS = 20


@dataclass(frozen=True, slots=True)
class Held:
    id: str
    content: bytes = field(repr=False)
    media_type: str
    name: str

    @property
    def kind(self) -> str:
        """In the words in which people say what they send."""
        family = self.media_type.partition("/")[0]
        return family if family in {"image", "audio", "video"} else "document"


class Shelf:
    def __init__(self) -> None:
        self._held: dict[str, Held] = {}
        self._bytes = 0

    def put(self, content: bytes, media_type: str, name: str) -> Held:
        held = Held("".join(secrets.choice("123456789") for _ in range(_ID_DIGITS)), content, media_type, name)
        self._held[held.id] = held
        self._bytes += len(content)
        while self._bytes > MOST_BYTES:
            self.drop(next(iter(self._held)))
        return held

    def get(self, media_id: str) -> Held | None:
        return self._held.get(media_id)

    def drop(self, media_id: str) -> None:
        held = self._held.pop(media_id, None)
        if held is not None:
            self._bytes -= len(held.content)


def is_media_id(text: str) -> bool:
    """Also of what is not held any more."""
    return len(text) == _ID_DIGITS and text.isascii() and text.isdigit()


def handed_out(request: web.Request, held: Held | None) -> web.Response:
    if held is None:
        return web.Response(status=404)
    headers = {"Content-Type": held.media_type, "Accept-Ranges": "bytes"}
    try:
        wanted = request.http_range
    except ValueError:
        return web.Response(status=400)
    size = len(held.content)
    if wanted.start is None and wanted.stop is None:
        return web.Response(body=held.content, headers=headers)
    start, stop, _step = wanted.indices(size)
    if start >= stop:
        return web.Response(status=416, headers=headers | {"Content-Range": f"bytes */{size}"})
    headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
    return web.Response(status=206, body=held.content[start:stop], headers=headers)
