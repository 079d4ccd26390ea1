"""In place of an ingress: the addresses of those web processes that say that they are ready."""

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

_LOOKS_EVERY_SECONDS = 0.25


class Front:
    def __init__(self) -> None:
        self.ready: list[str] = []
        self._behind: list[str] = []
        self._is_stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="front", daemon=True)

    def add(self, url: str) -> None:
        self._behind.append(url)

    def remove(self, url: str) -> None:
        self._behind.remove(url)

    def choose(self) -> str:
        return random.choice(self.ready)  # noqa: S311

    def _run(self) -> None:
        with httpx.Client(timeout=2, trust_env=False) as client:
            while not self._is_stopped.wait(_LOOKS_EVERY_SECONDS):
                self.ready = [url for url in list(self._behind) if _is_ready(client, url)]


class Through(httpx.BaseTransport):
    """Each request to one of the addresses, over connections that are kept."""

    def __init__(self, front: Front) -> None:
        self._front = front
        self._transport = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if not self._front.ready:
            raise httpx.ConnectError("nobody is ready")
        chosen = httpx.URL(self._front.choose())
        request.url = request.url.copy_with(host=chosen.host, port=chosen.port)
        return self._transport.handle_request(request)

    def close(self) -> None:
        self._transport.close()


@contextmanager
def open_front() -> Iterator[Front]:
    front = Front()
    front._thread.start()
    try:
        yield front
    finally:
        front._is_stopped.set()
        front._thread.join()


def _is_ready(client: httpx.Client, url: str) -> bool:
    try:
        return client.get(f"{url}/readyz").status_code == 200
    except httpx.HTTPError:
        return False
