"""Events over gRPC: the same hub as behind a WebSocket, and a watcher for each stream."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NoReturn
from uuid import UUID

import grpc
from django.utils.translation import gettext as _

from apps.accounts.models.audit_event import ActorKind
from apps.accounts.roles import Scope
from apps.accounts.throttling import caller_from
from apps.core.api.problems import field_error
from apps.core.asgi.django_threads import Threads
from apps.core.redis import RedisError
from apps.realtime import metrics, traced
from apps.realtime.feed import Feed
from apps.realtime.grpc.calls import Caller, Context, answered, count, known, missing_scope
from apps.realtime.grpc.frames import moment, written
from apps.realtime.grpc.generated import recado_pb2 as pb
from apps.realtime.grpc.generated.recado_pb2_grpc import EventsServicer
from apps.realtime.grpc.refusals import Refusal
from apps.realtime.hub import hub
from apps.realtime.identity import Guest, Unknown
from apps.realtime.line import Ended, TooSlow
from apps.realtime.watcher import MOST_SUBSCRIPTIONS, Refused, Watcher

# Of one caller, in one process.
MOST_STREAMS_EACH = 100

_STATUSES = {
    "bad_offset": grpc.StatusCode.INVALID_ARGUMENT,
    "not_found": grpc.StatusCode.NOT_FOUND,
}


class Events(EventsServicer):
    def __init__(self, threads: Threads, most_streams: int) -> None:
        self._threads = threads
        self._most = most_streams
        self._streams: Counter[str] = Counter()
        self._drains = asyncio.Event()

    def drain(self) -> None:
        """Every stream ends, with a status that makes clients come back."""
        self._drains.set()

    @answered
    async def Subscribe(  # type: ignore[override]  # noqa: N802 - the contract's name; the stub knows generators only
        self, request: pb.SubscribeRequest, context: Context
    ) -> None:
        caller = Caller.of(context)
        guest = await self._guest(caller)
        wanted = _Wanted.of(request)
        with self._place_for(guest):
            watcher = Watcher(hub(), guest)
            try:
                feed = await hub().feed(guest.organization_id)
                await context.write(_connected(guest, feed))
                await watcher.subscribe_to(wanted.conversation_ids, wanted.since, whole=wanted.organization)
                await self._follow(watcher, context)
            except (RedisError, OSError) as error:
                detail = _("The events cannot be read at the moment. Try again.")
                raise Refusal(grpc.StatusCode.UNAVAILABLE, "unavailable", detail, wait=1) from error
            except Refused as refused:
                status = _STATUSES.get(refused.code, grpc.StatusCode.UNAVAILABLE)
                raise Refusal(status, refused.code, refused.detail) from refused
            except TooSlow as end:
                raise Refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, "too_slow", end.reason) from end
            except Ended as end:
                raise Refusal(grpc.StatusCode.UNAUTHENTICATED, "invalid_token", end.reason) from end
            finally:
                watcher.leave()

    async def _guest(self, caller: Caller) -> Guest:
        """As everywhere, whoever fails is counted by where they come from."""
        try:
            guest = await hub().recognize(caller.credential())
        except Unknown as error:
            await self._threads.run(count, caller_from(caller.address))
            raise caller.refusal() from error
        known(organization_id=guest.organization_id, actor=_name(guest))
        if not guest.may(Scope.MESSAGES_READ):
            raise missing_scope(Scope.MESSAGES_READ)
        await self._threads.run(count, _name(guest))
        return guest

    @contextmanager
    def _place_for(self, guest: Guest) -> Iterator[None]:
        name = _name(guest)
        if self._drains.is_set():
            raise _restarts()
        if self._streams.total() >= self._most or self._streams[name] >= MOST_STREAMS_EACH:
            detail = _("Too many streams are open. Close one, or come back later.")
            raise Refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, "too_many_streams", detail)
        self._streams[name] += 1
        metrics.SOCKETS.move("grpc", by=1)
        try:
            yield
        finally:
            self._streams[name] -= 1
            metrics.SOCKETS.move("grpc", by=-1)
            if not self._streams[name]:
                del self._streams[name]

    async def _follow(self, watcher: Watcher, context: Context) -> None:
        """Until the server drains or the line ends: which may be while a client that does not read holds us up."""
        ended = asyncio.get_running_loop().create_future()
        watcher.line.on_end = lambda end: None if ended.done() else ended.set_exception(end)
        await _first(_write(watcher, context), ended, self._until_drained())

    async def _until_drained(self) -> NoReturn:
        await self._drains.wait()
        raise _restarts()


@dataclass(frozen=True, slots=True)
class _Wanted:
    conversation_ids: list[UUID]
    organization: bool
    since: str | None

    @classmethod
    def of(cls, request: pb.SubscribeRequest) -> "_Wanted":
        if not request.conversation_ids and not request.organization:
            raise field_error("conversation_ids", "required", _("Name conversations, or the organization."))
        if len(request.conversation_ids) + request.organization > MOST_SUBSCRIPTIONS:
            detail = _("At most %(most)d conversations. Follow the organization, or open another stream.")
            raise field_error("conversation_ids", "max_length", detail % {"most": MOST_SUBSCRIPTIONS})
        ids = dict.fromkeys(_id(text) for text in request.conversation_ids)
        return cls(list(ids), request.organization, request.since if request.HasField("since") else None)


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        detail = _("This is no id: they look like 0199f3a2-7c1e-7d3b-9a54-2f6c8e1b4d70.")
        raise field_error("conversation_ids", "invalid", detail) from error


def _connected(guest: Guest, feed: Feed) -> pb.Event:
    return pb.Event(
        connected=pb.Connected(
            epoch=feed.epoch,
            user_id=None if guest.user_id is None else str(guest.user_id),
            organization_id=str(guest.organization_id),
            expires_at=None if guest.expires_at is None else moment(guest.expires_at),
        )
    )


async def _write(watcher: Watcher, context: Context) -> NoReturn:
    while True:
        items = await watcher.line.take()
        for item in items:
            await context.write(written(item))
        traced.sent(items)
        metrics.FRAMES.add(by=len(items))


async def _first(*all_of_them: Awaitable[object]) -> None:
    """What the first of them to end has ended with; the others are called off."""
    tasks = [asyncio.ensure_future(each) for each in all_of_them]
    try:
        done, _rest = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


def _name(guest: Guest) -> str:
    """As REST counts the same caller."""
    if guest.user_id is not None:
        return f"{ActorKind.USER}:{guest.user_id}"
    return f"{ActorKind.API_KEY}:{guest.way}"


def _restarts() -> Refusal:
    detail = _("The server restarts. Come back after a random wait, with the last offset.")
    return Refusal(grpc.StatusCode.UNAVAILABLE, "restarting", detail)
