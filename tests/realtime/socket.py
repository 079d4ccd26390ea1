"""A WebSocket to the server, as a client in Python has it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.server import Server

PATIENCE_SECONDS = 10


class Socket:
    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self.subprotocol = connection.subprotocol

    def say(self, **frame: Any) -> None:
        self.say_raw(orjson.dumps(frame).decode())

    def say_raw(self, frame: str | bytes) -> None:
        self._connection.send(frame)

    def hear(self, seconds: float = PATIENCE_SECONDS) -> dict[str, Any]:
        frame: dict[str, Any] = orjson.loads(self._connection.recv(timeout=seconds))
        return frame

    def hear_all(self, count: int) -> list[dict[str, Any]]:
        return [self.hear() for _ in range(count)]

    def ask(self, **frame: Any) -> dict[str, Any]:
        self.say(**frame)
        return self.hear()

    def subscribe(self, conversation_id: object, **more: Any) -> dict[str, Any]:
        return self.ask(action="subscribe", conversation_id=str(conversation_id), **more)

    def subscribe_to_all(self, **more: Any) -> dict[str, Any]:
        return self.ask(action="subscribe", scope="organization", **more)

    def close_code(self, seconds: float = PATIENCE_SECONDS) -> int | None:
        """What it ends with; whatever comes before is skipped."""
        try:
            while True:
                self._connection.recv(timeout=seconds)
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else None

    def cut(self) -> None:
        """Without a word, as networks do."""
        self._connection.socket.close()

    @property
    def is_quiet(self) -> bool:
        """Whether nothing comes before the answer to a ping, which comes behind all that waits."""
        return bool(self.ask(action="ping")["type"] == "pong")


@contextmanager
def socket(
    server: Server, credential: str = "", *, query: str = "", headers: dict[str, str] | None = None, **options: Any
) -> Iterator[Socket]:
    """`credential` goes into the header; without one say who you are some other way."""
    url = f"{server.url.replace('http', 'ws', 1)}/ws/status{query}"
    sent = dict(headers or {}) | ({"Authorization": credential} if credential else {})
    options = {"compression": None, "proxy": None, "max_size": 2**22, **options}
    with connect(url, additional_headers=sent, open_timeout=PATIENCE_SECONDS, **options) as connection:
        yield Socket(connection)


@contextmanager
def greeted(server: Server, credential: str, **options: Any) -> Iterator[Socket]:
    """Connected and let in."""
    with socket(server, credential, **options) as opened:
        assert opened.hear()["type"] == "connected"
        yield opened
