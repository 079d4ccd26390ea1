"""A simulated provider in a thread of the test's own process, reached over real HTTP."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from apps.channels.simulators.app import Settings, serve

APP_SECRET = "the-app-secret"


class Provider:
    def __init__(self, url: str) -> None:
        self.url = url
        self._client = httpx.Client(base_url=f"{url}/control", timeout=10, trust_env=False)

    def close(self) -> None:
        self._client.close()

    def break_with(self, *faults: dict[str, Any]) -> None:
        self._client.put("/faults", json=list(faults)).raise_for_status()

    def delay(self, **seconds: float) -> None:
        self._client.put("/delays", json=seconds).raise_for_status()

    def tally(self) -> dict[str, Any]:
        return dict(self._client.get("/tally").raise_for_status().json())

    def received_by(self, address: str) -> list[str]:
        """The keys of the messages that this person got, in order."""
        answer = self._client.get("/received", params={"to": address.removeprefix("+")}).raise_for_status().json()
        return list(answer)

    def forget(self) -> None:
        self._client.delete("/faults").raise_for_status()
        self._client.delete("/tally").raise_for_status()
        self.delay(latency=0.0, sent_after=0.01, delivered_after=0.02, read_after=0.03)


@contextmanager
def run_provider(callback_url: str) -> Iterator[Provider]:
    started = threading.Event()
    found: list[str] = []
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def run() -> None:
        async with serve(Settings(callback_url=callback_url, app_secret=APP_SECRET, group_seconds=0.01)) as url:
            found.append(url)
            started.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()), daemon=True)
    thread.start()
    assert started.wait(10)
    provider = Provider(found[0])
    try:
        yield provider
    finally:
        provider.close()
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()
