"""The control API: orders faults, changes delays, and says what was accepted and what was called back.

It asks nobody who they are: the program listens on this machine only, and holds nothing but play. Of the pages in
a browser, only those of the web process whom it calls back may read it and order faults.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import orjson
from aiohttp import web

from apps.channels.simulators.callbacks import Callbacks
from apps.channels.simulators.delays import Delays
from apps.channels.simulators.faults import Faults, parse_faults
from apps.channels.simulators.fields import BadField
from apps.channels.simulators.provider import Provider, Said, json_answer
from apps.channels.simulators.shelf import Shelf
from apps.channels.simulators.tally import Entry, Tally

# A long log is read in pieces, and messages are answered in between.
_PIECE = 2000
_LARGEST_MEDIA_BYTES = 128 * 1024 * 1024
_LOOPBACK = frozenset({"127.0.0.1", "localhost"})
_COLUMNS = ("at", "provider", "account", "to", "key", "text")


def control_app(control: "Control", web_url: str) -> web.Application:
    """Under an address of its own, and open to the pages of the web process as to programs."""
    app = web.Application()
    app.router.add_routes([*control.routes(), web.options("/{name}", _say_what_pages_may)])
    origins = _origins_of(web_url)

    async def open_to_pages(request: web.Request, answer: web.StreamResponse) -> None:
        origin = request.headers.get("Origin")
        answer.headers["Vary"] = "Origin"
        if origin in origins:
            answer.headers["Access-Control-Allow-Origin"] = origin

    app.on_response_prepare.append(open_to_pages)
    return app


def _origins_of(url: str) -> frozenset[str]:
    """As browsers name it; of this machine, under both of its names."""
    parts = urlsplit(url)
    port = "" if parts.port in {None, 80 if parts.scheme == "http" else 443} else f":{parts.port}"
    names = _LOOPBACK if parts.hostname in _LOOPBACK else {str(parts.hostname)}
    return frozenset(f"{parts.scheme}://{name}{port}" for name in names)


async def _say_what_pages_may(_: web.Request) -> web.Response:
    return web.Response(
        status=204,
        headers={
            "Access-Control-Allow-Methods": "GET, POST, PUT, DELETE",
            "Access-Control-Allow-Headers": "Content-Type",
            "Access-Control-Max-Age": "600",
        },
    )


class Control:
    def __init__(
        self,
        faults: Faults,
        delays: Delays,
        tally: Tally,
        callbacks: Sequence[Callbacks],
        providers: Mapping[str, Provider[Any]],
        *,
        shelf: Shelf,
    ) -> None:
        self._faults = faults
        self._delays = delays
        self._tally = tally
        self._callbacks = callbacks
        self._providers = providers
        self._shelf = shelf

    def routes(self) -> Iterable[web.RouteDef]:
        return [
            web.get("/healthz", self.say_healthy),
            web.get("/faults", self.show_faults),
            web.put("/faults", self.replace_faults),
            web.delete("/faults", self.remove_faults),
            web.get("/delays", self.show_delays),
            web.put("/delays", self.change_delays),
            web.get("/tally", self.show_tally),
            web.delete("/tally", self.forget_tally),
            web.get("/received", self.show_received),
            web.get("/uploads", self.show_uploads),
            web.post("/say", self.say),
            web.post("/media", self.hold_media),
            web.delete("/media/{id}", self.drop_media),
        ]

    async def say_healthy(self, _: web.Request) -> web.Response:
        return json_answer({"status": "ok"})

    async def show_faults(self, _: web.Request) -> web.Response:
        return json_answer(self._faults.shown())

    async def replace_faults(self, request: web.Request) -> web.Response:
        self._faults.replace(await _read(request, parse_faults))
        return json_answer(self._faults.shown())

    async def remove_faults(self, _: web.Request) -> web.Response:
        self._faults.replace([])
        return json_answer(self._faults.shown())

    async def show_delays(self, _: web.Request) -> web.Response:
        return json_answer(self._delays.shown())

    async def change_delays(self, request: web.Request) -> web.Response:
        await _read(request, self._delays.change)
        return json_answer(self._delays.shown())

    async def show_tally(self, _: web.Request) -> web.Response:
        callbacks = {
            "posted": sum(callbacks.posted for callbacks in self._callbacks),
            "failed": sum(callbacks.failed for callbacks in self._callbacks),
            "pending": sum(callbacks.pending for callbacks in self._callbacks),
        }
        return json_answer(self._tally.summary() | {"callbacks": callbacks})

    async def forget_tally(self, request: web.Request) -> web.Response:
        self._tally.forget()
        for callbacks in self._callbacks:
            callbacks.forget()
        return await self.show_tally(request)

    async def show_uploads(self, _: web.Request) -> web.Response:
        """Files that came within messages: their names, types, sizes and digests."""
        return json_answer(self._tally.uploads())

    async def say(self, request: web.Request) -> web.Response:
        """A simulated person writes to an account; `media` is what they send along."""
        name, said = await _read(request, Said.parse)
        provider = self._providers.get(name)
        if provider is None:
            problem = {"error": f"provider is one of {', '.join(self._providers)}"}
            return json_answer(problem, status=400)
        if said.media and self._shelf.get(said.media) is None:
            return json_answer({"error": "media is the id of a file that is held here"}, status=400)
        return json_answer({"id": await provider.say(said, str(request.url.origin()))}, status=202)

    async def hold_media(self, request: web.Request) -> web.Response:
        """The body is a file, of the type that its header says, which a person may send from now on."""
        content = bytearray()
        async for chunk in request.content.iter_any():
            content += chunk
            if len(content) > _LARGEST_MEDIA_BYTES:
                raise web.HTTPRequestEntityTooLarge(_LARGEST_MEDIA_BYTES, len(content))
        held = self._shelf.put(bytes(content), request.content_type, request.query.get("name", ""))
        return json_answer({"media": held.id}, status=201)

    async def drop_media(self, request: web.Request) -> web.Response:
        """The provider does not have it any more."""
        self._shelf.drop(request.match_info["id"])
        return web.Response(status=204)

    async def show_received(self, request: web.Request) -> web.StreamResponse:
        """For one recipient, a list of keys; else a line of JSON for each message, in order of acceptance."""
        to = request.query.get("to")
        if to is not None:
            keys = [entry[4] async for piece in _pieces(self._tally) for entry in piece if entry[3] == to]
            return json_answer(keys)
        answer = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        await answer.prepare(request)
        async for piece in _pieces(self._tally):
            lines = (orjson.dumps(dict(zip(_COLUMNS, entry, strict=True))) for entry in piece)
            await answer.write(b"\n".join([*lines, b""]))
        return answer


async def _pieces(tally: Tally) -> AsyncIterator[Sequence[Entry]]:
    entries = tally.entries()
    for start in range(0, len(entries), _PIECE):
        yield entries[start : start + _PIECE]
        await asyncio.sleep(0)


async def _read[Read](request: web.Request, read: Callable[[object], Read]) -> Read:
    try:
        return read(orjson.loads(await request.read()))
    except orjson.JSONDecodeError:
        problem = "the body is not JSON"
    except BadField as bad:
        problem = str(bad)
    answer = orjson.dumps({"error": problem}).decode()
    raise web.HTTPBadRequest(text=answer, content_type="application/json")
