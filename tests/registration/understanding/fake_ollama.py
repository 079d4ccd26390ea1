"""An Ollama on this machine that says what a test wants it to."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

type Answering = Callable[[], Awaitable[web.StreamResponse]]


@dataclass(slots=True)
class FakeOllama:
    answering: Answering
    url: str = ""
    questions: list[dict[str, Any]] = field(default_factory=list)
    under_way: int = 0
    most_under_way: int = 0

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.questions.append(await request.json())
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            return await self.answering()
        finally:
            self.under_way -= 1


@asynccontextmanager
async def fake_ollama(answering: Answering) -> AsyncIterator[FakeOllama]:
    fake = FakeOllama(answering)
    app = web.Application()
    app.router.add_post("/api/chat", fake.handle)
    async with TestServer(app) as server:
        fake.url = str(server.make_url("")).rstrip("/")
        yield fake


@contextmanager
def model(answering: Answering) -> Iterator[FakeOllama]:
    """In a thread of its own, as it is a process of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    context = fake_ollama(answering)
    fake = asyncio.run_coroutine_threadsafe(context.__aenter__(), loop).result(10)
    try:
        yield fake
    finally:
        asyncio.run_coroutine_threadsafe(context.__aexit__(None, None, None), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


def reads(intent: str, *slots: tuple[str, str], corrects: str = "") -> Answering:
    """A model that keeps to the schema."""
    said = {
        "intent": intent,
        "slots": [{"kind": kind, "text": text} for kind, text in slots],
        "corrects": corrects,
    }
    return says(json.dumps(said))


def says(content: str) -> Answering:
    async def answer() -> web.Response:
        return web.json_response({"message": {"role": "assistant", "content": content}, "done": True})

    return answer


def answers(status: int, body: bytes = b"") -> Answering:
    async def answer() -> web.Response:
        return web.Response(status=status, body=body)

    return answer


def after(seconds: float, then: Answering) -> Answering:
    async def answer() -> web.StreamResponse:
        await asyncio.sleep(seconds)
        return await then()

    return answer
