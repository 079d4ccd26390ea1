"""The simulated providers on a free port, somebody who sends to them, and somebody whom they call back."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import aiohttp
import orjson
from aiohttp import web

from apps.channels.simulators.app import Settings, serve
from apps.channels.simulators.delays import Delays

SECRET = "the app's secret"
TOKEN = "Bearer a-good-token-17841400000000777"
NUMBER = "109000000000001"
IG_ID = "17841400000000001"
ANA = "5511988880001"
BRUNO = "5511988880002"

QUICK = Delays(sent_after=0.0, delivered_after=0.02, read_after=0.04)


async def until(is_so: Callable[[], bool], what: str = "", seconds: float = 5.0) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, f"still not so after {seconds} s: {what}"
        await asyncio.sleep(0.002)


@dataclass
class Callback:
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        return orjson.loads(self.body)

    @property
    def statuses(self) -> list[dict[str, Any]]:
        """WhatsApp's, whatever account they are of."""
        return [
            status
            for entry in self.document["entry"]
            for change in entry.get("changes", ())
            for status in change["value"].get("statuses", ())
        ]

    @property
    def events(self) -> list[dict[str, Any]]:
        """Instagram's."""
        return [event for entry in self.document["entry"] for event in entry.get("messaging", ())]


@dataclass
class Receiver:
    """Takes callbacks, or not."""

    url: str = ""
    callbacks: list[Callback] = field(default_factory=list)
    """All that came, taken or not."""

    answers: list[int] = field(default_factory=list)
    """To the first ones; then 200."""

    open: asyncio.Event = field(default_factory=asyncio.Event)
    """While it is closed, whoever calls has to wait."""

    waiting: int = 0
    most_waiting: int = 0

    async def take(self, request: web.Request) -> web.Response:
        self.callbacks.append(Callback(request.path, dict(request.headers), await request.read()))
        status = self.answers.pop(0) if self.answers else 200
        self.waiting += 1
        self.most_waiting = max(self.waiting, self.most_waiting)
        await self.open.wait()
        self.waiting -= 1
        return web.Response(status=status, headers={"Location": "/hooks/elsewhere"} if status == 302 else {})

    @property
    def statuses(self) -> list[dict[str, Any]]:
        return [status for callback in self.callbacks for status in callback.statuses]

    @property
    def events(self) -> list[dict[str, Any]]:
        return [event for callback in self.callbacks for event in callback.events]

    def words(self) -> list[str]:
        return [status["status"] for status in self.statuses]


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    document: Any

    @property
    def code(self) -> int:
        code: int = self.document["error"]["code"]
        return code


@dataclass
class Stage:
    url: str
    receiver: Receiver
    session: aiohttp.ClientSession

    async def ask(self, method: str, path: str, body: object = None, token: str | None = TOKEN) -> Answer:
        headers = {} if token is None else {"Authorization": token}
        data = None if body is None else BytesIO(body if isinstance(body, bytes) else orjson.dumps(body))
        async with self.session.request(method, self.url + path, data=data, headers=headers) as answer:
            text = await answer.read()
            document = orjson.loads(text) if answer.content_type == "application/json" else text
            return Answer(answer.status, dict(answer.headers), document)

    async def whatsapp(
        self, key: str = "m-1", to: str = ANA, number: str = NUMBER, text: str = "Your order left."
    ) -> Answer:
        return await self.ask("POST", f"/whatsapp/v23.0/{number}/messages", whatsapp_body(key, to, text))

    async def instagram(self, text: str = "Your order left.", to: str = ANA, ig_id: str = IG_ID) -> Answer:
        body = {"recipient": {"id": to}, "message": {"text": text}}
        return await self.ask("POST", f"/instagram/v23.0/{ig_id}/messages", body)

    async def order(self, *faults: dict[str, Any]) -> None:
        answer = await self.ask("PUT", "/control/faults", list(faults))
        assert answer.status == 200, answer.document

    async def tally(self) -> Any:
        return (await self.ask("GET", "/control/tally")).document

    async def received(self, to: str) -> Any:
        return (await self.ask("GET", f"/control/received?to={to}")).document

    async def tally_when(self, is_so: Callable[[Any], bool], seconds: float = 5.0) -> Any:
        deadline = time.monotonic() + seconds
        while not is_so(tally := await self.tally()):
            assert time.monotonic() < deadline, tally
            await asyncio.sleep(0.005)
        return tally

    async def settled(self) -> Any:
        """The tally once no callback is pending."""
        return await self.tally_when(lambda tally: not tally["callbacks"]["pending"])


def whatsapp_body(key: str = "m-1", to: str = ANA, text: str = "Your order left.") -> dict[str, Any]:
    return {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": to,
        "type": "text",
        "text": {"body": text},
        "biz_opaque_callback_data": key,
    }


@asynccontextmanager
async def receiving(port: int = 0) -> AsyncIterator[Receiver]:
    receiver = Receiver()
    receiver.open.set()
    app = web.Application(client_max_size=1024**3)
    app.router.add_route("*", "/hooks/{provider}", receiver.take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hooks"
        yield receiver
    finally:
        await runner.cleanup()


@asynccontextmanager
async def playing(
    *, delays: Delays = QUICK, group_seconds: float = 0.01, retry_seconds: float = 5.0, most_logged: int = 10_000
) -> AsyncIterator[Stage]:
    async with receiving() as receiver, aiohttp.ClientSession() as session:
        settings = Settings(
            receiver.url,
            SECRET,
            delays,
            group_seconds=group_seconds,
            retry_seconds=retry_seconds,
            most_logged=most_logged,
        )
        async with serve(settings) as url:
            yield Stage(url, receiver, session)


def in_order_of(statuses: Sequence[dict[str, Any]], key: str) -> list[str]:
    """What became of one message, as it was told."""
    return [status["status"] for status in statuses if status.get("biz_opaque_callback_data") == key]
