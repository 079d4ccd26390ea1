"""A simulated provider as a program of its own, reached over real HTTP."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from local.ports import HOST, free_port
from local.processes import Process

APP_SECRET = "the-app-secret"


class Provider:
    def __init__(self, url: str) -> None:
        self.url = url
        self._client = httpx.Client(base_url=f"{url}/control", timeout=10, trust_env=False)

    def close(self) -> None:
        self._client.close()

    def is_ready(self) -> bool:
        try:
            return self._client.get("/healthz").is_success
        except httpx.TransportError:
            return False

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
def run_provider(callback_url: str, folder: Path) -> Iterator[Provider]:
    """The program itself: in this process, its connections would be seen by tests that watch who connects."""
    url = f"http://{HOST}:{free_port()}"
    command = [
        *(sys.executable, "-m", "apps.channels.simulators", "--port", url.rpartition(":")[2], "--group-ms", "10"),
        *("--callback-url", callback_url, "--app-secret", APP_SECRET),
    ]
    process = Process("provider", command, folder / "provider.log")
    provider = Provider(url)
    process.start()
    try:
        process.wait_until(provider.is_ready, 30)
        yield provider
    finally:
        provider.close()
        process.stop()
