"""`/ws/status`: one WebSocket. docs/realtime.md says what goes over it."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, NoReturn

import structlog
from channels.consumer import AsyncConsumer, get_handler_name
from channels.exceptions import StopConsumer
from django.conf import settings
from django.db import Error as DatabaseError
from redis.exceptions import RedisError

from apps.core import clock
from apps.realtime import metrics, traced
from apps.realtime.event import Event, Item, Notice
from apps.realtime.frames import Authenticate, BadFrame, Frame, Subscribe, Unsubscribe, read_frame
from apps.realtime.handshake import Handshake
from apps.realtime.hub import Hub, hub
from apps.realtime.identity import Guest, Unknown
from apps.realtime.line import Ended
from apps.realtime.pace import Pace
from apps.realtime.topic import named
from apps.realtime.watcher import Refused, Watcher

AUTHENTICATE_SECONDS = 5.0

logger = structlog.get_logger(__name__)
_sockets: set["StatusConsumer"] = set()


class StatusConsumer(AsyncConsumer):
    # To the server, as ASGI has it.
    base_send: Any
    _hub: Hub
    _handshake: Handshake
    _watcher: Watcher | None = None
    _writer: asyncio.Task[None] | None = None
    _deadline: asyncio.TimerHandle | None = None
    _is_closed = False

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Without Channels' look at database connections: none is used in here."""
        await getattr(self, get_handler_name(message))(message)

    async def websocket_connect(self, _message: dict[str, Any]) -> None:
        self._handshake = Handshake.of(self.scope)
        self._pace = Pace()
        # Accepted first in any case: a browser is told the code of a close, and nothing of a refusal.
        await self.base_send({"type": "websocket.accept", "subprotocol": self._handshake.subprotocol})
        if not self._handshake.is_from_here():
            await self._close(4403, "This origin is not on the list.")
        elif len(_sockets) >= settings.REALTIME_MOST_SOCKETS:
            await self._close(4429, "Too many sockets are open here. Come back later.")
        else:
            _sockets.add(self)
            metrics.SOCKETS.put("websocket", to=len(_sockets))
            self._hub = hub()
            await self._let_in()

    async def websocket_receive(self, message: dict[str, Any]) -> None:
        if self._is_closed:
            return
        if not self._pace.allows_another():
            await self._close(4429, "Too many frames. Come back later.")
            return
        try:
            await self._do(read_frame(message.get("text")))
        except (BadFrame, Refused) as wrong:
            await self._say(
                {"type": "error", "code": wrong.code, "detail": wrong.detail, **getattr(wrong, "about", {})}
            )

    async def websocket_disconnect(self, message: dict[str, Any]) -> NoReturn:
        if not self._is_closed:
            metrics.CLOSES.add(str(message.get("code") or 1005))
        self._leave()
        raise StopConsumer

    async def _let_in(self) -> None:
        try:
            guest = await self._handshake.guest(self._hub)
            if guest is not None:
                await self._begin(guest)
                return
        except Unknown:
            await self._close(4401, "This token, key or ticket is not valid or has expired.")
        except (RedisError, OSError, DatabaseError) as error:
            await self._come_back_later(error)
        else:
            loop = asyncio.get_running_loop()
            self._deadline = loop.call_later(AUTHENTICATE_SECONDS, self._close_soon, 4401, "Nobody authenticated.")

    async def _do(self, frame: Frame) -> None:
        if isinstance(frame, Authenticate):
            await self._authenticate(frame.token)
            return
        if self._watcher is None:
            raise BadFrame("not_authenticated", 'Send {"action": "authenticate", "token": …} first.')
        if isinstance(frame, Subscribe):
            await self._subscribe(self._watcher, frame)
        elif isinstance(frame, Unsubscribe):
            self._watcher.unsubscribe(frame.conversation_id)
            await self._say({"type": "unsubscribed", **_about(frame)})
        else:
            await self._say({"type": "pong", "at": clock.now(), "offset": self._watcher.offset})

    async def _authenticate(self, token: str) -> None:
        if self._deadline is not None:
            self._deadline.cancel()  # they have said who they are; how long we look that up is our affair
        try:
            guest = await self._hub.recognize(token)
        except Unknown:
            await self._close(4401, "This token or key is not valid or has expired.")
            return
        except (OSError, DatabaseError) as error:
            await self._come_back_later(error)
            return
        if self._watcher is None:
            await self._begin(guest)
        elif self._watcher.renew(guest):
            await self._say(await self._connected(guest))
        else:
            await self._close(4401, "This is somebody else's token.")

    async def _subscribe(self, watcher: Watcher, frame: Subscribe) -> None:
        try:
            await watcher.subscribe(frame.conversation_id, frame.since)
        except Refused as refused:
            raise BadFrame(refused.code, refused.detail, **_about(frame)) from refused
        except (OSError, DatabaseError) as error:
            logger.warning("conversation_not_looked_up", reason=type(error).__name__)
            raise BadFrame("unavailable", "Try again in a moment.", **_about(frame)) from error

    async def _begin(self, guest: Guest) -> None:
        try:
            connected = await self._connected(guest)
        except RedisError as error:
            await self._come_back_later(error)
            return
        if self._is_closed:
            return
        self._watcher = Watcher(self._hub, guest)
        self._watcher.line.on_end = lambda end: self._close_soon(end.code, end.reason)
        self._watcher.line.tell(Notice(connected))
        self._writer = asyncio.create_task(self._write(self._watcher))

    async def _connected(self, guest: Guest) -> dict[str, Any]:
        feed = await self._hub.feed(guest.organization_id)
        return {
            "type": "connected",
            "epoch": feed.epoch,
            "user_id": guest.user_id,
            "organization_id": guest.organization_id,
            "expires_at": guest.expires_at,
        }

    async def _write(self, watcher: Watcher) -> None:
        send = self.base_send
        with suppress(Ended, OSError):  # the server's word for a client that has gone is an OSError
            while True:
                items = await watcher.line.take()
                frames = list(_batched(items) if self._handshake.wants_batches else _single(items))
                for frame in frames:
                    await send({"type": "websocket.send", "text": frame})
                traced.sent(items)
                metrics.FRAMES.add(by=len(frames))

    async def _say(self, words: dict[str, Any]) -> None:
        notice = Notice(words)
        if self._watcher is not None:
            self._watcher.line.tell(notice)  # behind what waits there
        elif not self._is_closed:
            await self.base_send({"type": "websocket.send", "text": notice.frame})
            metrics.FRAMES.add()

    async def _come_back_later(self, error: Exception) -> None:
        logger.warning("socket_not_served", reason=type(error).__name__)
        await self._close(1013, "This cannot be served at the moment. Come back later.")

    def _close_soon(self, code: int, reason: str) -> None:
        self._closing = asyncio.create_task(self._close(code, reason))

    async def _close(self, code: int, reason: str) -> None:
        if self._is_closed:
            return
        self._leave()
        metrics.CLOSES.add(str(code))
        with suppress(OSError):
            await self.base_send({"type": "websocket.close", "code": code, "reason": reason})

    def _leave(self) -> None:
        self._is_closed = True
        _sockets.discard(self)
        metrics.SOCKETS.put("websocket", to=len(_sockets))
        if self._deadline is not None:
            self._deadline.cancel()
        if self._writer is not None:
            self._writer.cancel()
        if self._watcher is not None:
            self._watcher.leave()


def _about(frame: Subscribe | Unsubscribe) -> dict[str, str]:
    return named(None if frame.conversation_id is None else str(frame.conversation_id))


def _single(items: list[Item]) -> Iterator[str]:
    return (item.frame for item in items)


def _batched(items: list[Item]) -> Iterator[str]:
    """Events that wait together in one frame; answers by themselves, in their place."""
    events: list[str] = []
    for item in items:
        if isinstance(item, Event):
            events.append(item.frame)
            continue
        yield from _one_frame(events)
        events = []
        yield item.frame
    yield from _one_frame(events)


def _one_frame(events: list[str]) -> list[str]:
    if len(events) < 2:
        return events
    return [f'{{"type":"batch","events":[{",".join(events)}]}}']
