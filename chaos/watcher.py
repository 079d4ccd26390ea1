"""A client that follows the whole organization, comes back when it is cut, and reads a snapshot at a gap."""

import random
import socket
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import httpx
import orjson
from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from apps.core import clock

_FIRST_WAIT, _LONGEST_WAIT = 0.1, 2.0
_PAGE = 100
# Of the clock of the machine that it watches.
_BEFORE = timedelta(seconds=5)


@dataclass
class Watcher:
    urls: Sequence[str]
    api_key: str
    rest: httpx.Client
    # In the order in which they came.
    events: list[int] = field(default_factory=list, init=False)
    statuses: dict[str, str] = field(default_factory=dict, init=False)
    gaps: int = field(default=0, init=False)
    cuts: int = field(default=0, init=False)
    is_in: threading.Event = field(default_factory=threading.Event, init=False)

    def __post_init__(self) -> None:
        # What other scenarios left behind is not asked for: each page of it costs time.
        self._began_at = clock.now() - _BEFORE
        self._since: str | None = None
        self._connection: ClientConnection | None = None
        self._is_stopped = False
        self._thread = threading.Thread(target=self._run, name="watcher", daemon=True)
        self._thread.start()

    def cut(self) -> None:
        """As a network does, without a word."""
        connection = self._connection
        if connection is not None:
            with suppress(OSError):
                connection.socket.shutdown(socket.SHUT_RDWR)

    def stop(self) -> None:
        self._is_stopped = True
        self.cut()
        self._thread.join(10)
        self.rest.close()

    def _run(self) -> None:
        failures = 0
        while not self._is_stopped:
            try:
                with connect(
                    f"{random.choice(self.urls).replace('http', 'ws', 1)}/ws/status",  # noqa: S311
                    additional_headers={"Authorization": f"Api-Key {self.api_key}"},
                    compression=None,
                    proxy=None,
                    open_timeout=5,
                    ping_interval=None,
                ) as self._connection:
                    self._follow(self._connection)
            except (OSError, WebSocketException, httpx.HTTPError, TimeoutError):
                self.is_in.clear()
                self.cuts += 1
                failures = 0 if self._since else failures + 1
                threading.Event().wait(random.uniform(0, min(_LONGEST_WAIT, _FIRST_WAIT * 2**failures)))  # noqa: S311

    def _follow(self, connection: ClientConnection) -> None:
        asked: dict[str, Any] = {"action": "subscribe", "scope": "organization"}
        connection.send(orjson.dumps(asked | ({"since": self._since} if self._since else {})).decode())
        while True:
            frame: dict[str, Any] = orjson.loads(connection.recv())
            match frame["type"]:
                case "status":
                    self.events.append(frame["event_id"])
                    self.statuses[frame["message_id"]] = frame["status"]
                    self._since = frame["offset"]
                case "subscribed":
                    self._since = frame["offset"]
                    self.is_in.set()
                case "gap":
                    # Frames wait meanwhile: what they tell is as new as the snapshot, or newer.
                    self.gaps += 1
                    self._take_snapshot()
                    self._since = frame["offset"]

    def _take_snapshot(self) -> None:
        began = quote(self._began_at.isoformat())
        path: str | None = f"/v1/messages?limit={_PAGE}&created_after={began}"
        while path:
            answer = self.rest.get(path)
            answer.raise_for_status()
            page = answer.json()
            self.statuses |= {message["id"]: message["status"] for message in page["data"]}
            path = page["next"]
