"""Clients that mean no good. Each says how it was dealt with; what nobody stopped is a problem."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import orjson
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.sync.client import ClientConnection, connect

from apps.core.ids import new_id
from chaos.stage import Stage

_SUBSCRIBE = orjson.dumps({"action": "subscribe", "scope": "organization"}).decode()
# Beyond the time that a client may read nothing.
_UNREAD_SECONDS = 18.0


@dataclass
class Crowd:
    """By the kind of client: the code that its socket was closed with, or what else happened."""

    outcomes: dict[str, str] = field(default_factory=dict)
    threads: list[threading.Thread] = field(default_factory=list)

    @property
    def unfinished(self) -> bool:
        return any(thread.is_alive() for thread in self.threads)

    @property
    def problems(self) -> list[str]:
        return [
            f"{kind}: {self.outcomes.get(kind, 'nothing')} instead of {wanted}"
            for kind, (_, wanted) in _KINDS.items()
            if self.outcomes.get(kind) != wanted
        ]

    def told(self) -> str:
        return ", ".join(f"{kind} {outcome}" for kind, outcome in self.outcomes.items())


@contextmanager
def clients(stage: Stage) -> Iterator[Crowd]:
    crowd = Crowd()

    def run(kind: str, act: Callable[[Stage], str]) -> None:
        try:
            crowd.outcomes[kind] = act(stage)
        except (OSError, WebSocketException) as error:
            crowd.outcomes[kind] = type(error).__name__

    for kind, (act, _) in _KINDS.items():
        thread = threading.Thread(target=run, args=(kind, act), name=kind, daemon=True)
        crowd.threads.append(thread)
        thread.start()
    yield crowd


def _never_reads(stage: Stage) -> str:
    """Told so once it does read."""
    with _connected(stage, window=4096) as connection:
        connection.send(_SUBSCRIBE)
        time.sleep(_UNREAD_SECONDS)
        return _closed_with(connection)


def _garbage(stage: Stage) -> str:
    with _connected(stage) as connection:
        for frame in ("", "{", "[]", b"\xff\x00", '{"action": {}}', "🙂" * 1000, '{"action":"subscribe"}') * 200:
            with suppress(ConnectionClosed):
                connection.send(frame)
        return _closed_with(connection)


def _megabyte(stage: Stage) -> str:
    with _connected(stage) as connection:
        with suppress(ConnectionClosed):
            connection.send("x" * 1024 * 1024)
        return _closed_with(connection)


def _pings_without_end(stage: Stage) -> str:
    with _connected(stage) as connection:
        with suppress(ConnectionClosed):
            for _ in range(5_000):
                connection.send('{"action":"ping"}')
        return _closed_with(connection)


def _forged(stage: Stage) -> str:
    with connect(f"{_address(stage)}?access_token=eyJhbGciOiJub25lIn0.e30.", proxy=None) as connection:
        return _closed_with(connection)


def _foreign_origin(stage: Stage) -> str:
    with _connected(stage, origin="https://elsewhere.example") as connection:
        return _closed_with(connection)


def _replays_a_ticket(stage: Stage) -> str:
    with stage.client() as client:
        ticket = client.post("/v1/realtime/tickets").json()["ticket"]
    with connect(f"{_address(stage)}?ticket={ticket}", proxy=None) as first:
        first.recv()
        with connect(f"{_address(stage)}?ticket={ticket}", proxy=None) as second:
            return _closed_with(second)


def _asks_for_what_is_not_theirs(stage: Stage) -> str:
    with _connected(stage) as connection:
        connection.recv()
        connection.send(orjson.dumps({"action": "subscribe", "conversation_id": str(new_id())}).decode())
        return str(orjson.loads(connection.recv())["code"])


def _never_says_who(stage: Stage) -> str:
    with connect(_address(stage), proxy=None) as connection:
        return _closed_with(connection)


_KINDS: dict[str, tuple[Callable[[Stage], str], str]] = {
    "never reads": (_never_reads, "4408"),
    "garbage": (_garbage, "4429"),
    "a megabyte": (_megabyte, "1009"),
    "pings without end": (_pings_without_end, "4429"),
    "forged token": (_forged, "4401"),
    "foreign origin": (_foreign_origin, "4403"),
    "ticket twice": (_replays_a_ticket, "4401"),
    "somebody else's conversation": (_asks_for_what_is_not_theirs, "not_found"),
    "never says who": (_never_says_who, "4401"),
}


def _address(stage: Stage) -> str:
    return f"{stage.url.replace('http', 'ws', 1)}/ws/status"


@contextmanager
def _connected(stage: Stage, window: int | None = None, origin: str | None = None) -> Iterator[ClientConnection]:
    headers = {"Authorization": f"Api-Key {stage.api_key}"} | ({"Origin": origin} if origin else {})
    host, _, port = stage.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port))) as opened:
        if window is not None:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        with connect(
            _address(stage),
            sock=opened,
            additional_headers=headers,
            compression=None,
            ping_interval=None,
            max_queue=1 if window else 16,
        ) as connection:
            yield connection


def _closed_with(connection: ClientConnection) -> str:
    try:
        while True:
            connection.recv(timeout=30)
    except ConnectionClosed as closed:
        return str(closed.rcvd.code) if closed.rcvd else "cut"
    except TimeoutError:
        return "left open"
