"""Many clients, each with a conversation of its own: how they were closed, and what they saw."""

import asyncio
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

_CONNECTING_AT_ONCE = 50
_PATIENCE_SECONDS = 30.0
# As the browser SDK waits before its first try.
_LONGEST_WAIT = 0.5


@dataclass
class Member:
    conversation: str
    # In the order in which they came.
    events: list[int] = field(default_factory=list)
    is_in: bool = False
    since: str | None = None


class Crowd:
    def __init__(self, choose: Callable[[], str], api_key: str, conversations: Sequence[str]) -> None:
        self.members = [Member(conversation) for conversation in conversations]
        # By what the server said; nothing where it said nothing.
        self.closes: Counter[int | None] = Counter()
        # By what kind of error somebody was not let in.
        self.not_let_in: Counter[str] = Counter()
        self.resumed = self.gaps = 0
        self._choose = choose
        self._headers = {"Authorization": f"Api-Key {api_key}"}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="crowd", daemon=True)

    @property
    def is_in(self) -> bool:
        return all(member.is_in for member in self.members)

    def _run(self) -> None:
        self._all = self._loop.create_task(self._follow_all())
        with suppress(asyncio.CancelledError):
            self._loop.run_until_complete(self._all)
        self._loop.close()

    async def _follow_all(self) -> None:
        self._door = asyncio.Semaphore(_CONNECTING_AT_ONCE)
        async with asyncio.TaskGroup() as everybody:
            for member in self.members:
                everybody.create_task(self._follow(member))

    async def _follow(self, member: Member) -> None:
        while True:
            try:
                async with self._door:
                    connection = await self._connect()
                async with connection:
                    await self._read(member, connection)
            except ConnectionClosed as closed:
                self.closes[closed.rcvd.code if closed.rcvd else None] += 1
            except (OSError, InvalidHandshake, EOFError, IndexError) as error:
                self.not_let_in[type(error).__name__] += 1
            member.is_in = False
            await asyncio.sleep(random.uniform(0, _LONGEST_WAIT))  # noqa: S311

    async def _connect(self) -> ClientConnection:
        return await connect(
            f"{self._choose().replace('http', 'ws', 1)}/ws/status",
            additional_headers=self._headers,
            compression=None,
            proxy=None,
            open_timeout=_PATIENCE_SECONDS,
            ping_interval=None,
        )

    async def _read(self, member: Member, connection: ClientConnection) -> None:
        asked = {"action": "subscribe", "conversation_id": member.conversation}
        resumes = {"since": member.since} if member.since else {}
        await connection.send(orjson.dumps(asked | resumes).decode())
        while True:
            frame: dict[str, Any] = orjson.loads(await connection.recv())
            match frame["type"]:
                case "status":
                    member.events.append(frame["event_id"])
                    member.since = frame["offset"]
                case "subscribed":
                    member.since = frame["offset"]
                    member.is_in = True
                    self.resumed += bool(resumes)
                case "gap":
                    self.gaps += 1
                    member.since = frame["offset"]


@contextmanager
def watching(choose: Callable[[], str], api_key: str, conversations: Sequence[str]) -> Iterator[Crowd]:
    crowd = Crowd(choose, api_key, conversations)
    crowd._thread.start()
    try:
        yield crowd
    finally:
        crowd._loop.call_soon_threadsafe(crowd._all.cancel)
        crowd._thread.join(30)
