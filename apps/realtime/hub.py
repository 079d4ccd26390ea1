"""Everybody who watches in this process: one reading of Redis for all of them, and a look around every second.

A hub belongs to an event loop and is made when the first client comes.
"""

import asyncio
import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

import structlog
from django.conf import settings
from django.db import Error as DatabaseError
from redis.asyncio import BlockingConnectionPool, Redis
from redis.exceptions import RedisError

from apps.accounts.access_changes import CHANGES
from apps.core import clock
from apps.core.redis import CONNECT_SECONDS
from apps.realtime import tickets
from apps.realtime.conversations import OfOrganization, which_exist
from apps.realtime.feed import Feed
from apps.realtime.identity import Guest, Unknown, Way, guests_behind, read_credential, who_has_gone
from apps.realtime.line import TooSlow, unauthenticated
from apps.realtime.source import Source, batch_of
from apps.realtime.stream import stream_of
from apps.realtime.together import Together, in_thread
from apps.realtime.watcher import Watcher

THREADS = 4
CONNECTIONS = 8
BLOCK_MILLISECONDS = 1_000
ANSWER_SECONDS = 5.0
BATCHES_AT_ONCE = 50
LOOK_SECONDS = 1.0
# Who may stay is asked this often even if nothing was announced.
STANDING_SECONDS = 60.0
# A feed that nobody watches is kept a little: clients come back.
FORGOTTEN_SECONDS = 30.0

logger = structlog.get_logger(__name__)


class Hub:
    def __init__(self) -> None:
        self.watchers: set[Watcher] = set()
        self._redis = Redis(connection_pool=_pool())
        self._source = Source(self._redis)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="realtime")
        self._guests = Together[Way | str, Guest | None](guests_behind, self._threads)
        self.exists = Together[OfOrganization, bool](which_exist, self._threads)
        self._feeds: dict[UUID, Feed] = {}
        self._opening: dict[UUID, asyncio.Task[Feed]] = {}
        self._silent_since: dict[UUID, float] = {}
        self._own_stream = f"recado:hub:{secrets.token_hex(8)}"
        self._read_up_to: dict[str, str] = {CHANGES: "0-0", self._own_stream: "0-0"}
        self._access_changed = asyncio.Event()
        self._asked_standing_at = time.monotonic()
        self._tasks = [asyncio.create_task(each) for each in (self._read(), self._look_around())]

    async def recognize(self, credential: str, *, keys: bool = True) -> Guest:
        """Raises Unknown."""
        return await self._guest(read_credential(credential, keys=keys))

    async def redeem(self, ticket: str) -> Guest:
        """Raises Unknown."""
        return await self._guest(await tickets.redeem(self._redis, ticket))

    async def feed(self, organization_id: UUID) -> Feed:
        """Raises RedisError. Many that ask at once open it once."""
        feed = self._feeds.get(organization_id)
        if feed is not None:
            return feed
        opening = self._opening.get(organization_id)
        if opening is None:
            opening = self._opening[organization_id] = asyncio.create_task(self._open(organization_id))
            opening.add_done_callback(lambda _done: self._opening.pop(organization_id))
        return await asyncio.shield(opening)

    def open_feed(self, organization_id: UUID) -> Feed | None:
        return self._feeds.get(organization_id)

    def welcome(self, watcher: Watcher) -> None:
        self.watchers.add(watcher)

    def see_off(self, watcher: Watcher) -> None:
        self.watchers.discard(watcher)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        for feed in self._feeds.values():
            feed.close()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with suppress(RedisError):
            await self._redis.delete(self._own_stream)
        await self._redis.aclose()
        self._threads.shutdown(wait=False)

    async def _guest(self, way: Way | str) -> Guest:
        guest = await self._guests(way)
        if guest is None:
            raise Unknown
        return guest

    async def _open(self, organization_id: UUID) -> Feed:
        page = await self._source.page(organization_id)
        feed = self._feeds[organization_id] = Feed(organization_id, self._source, page.epoch, page.end)
        # The reading that is under way does not know this stream yet.
        await self._redis.xadd(self._own_stream, {"changed": b""}, maxlen=1)
        await self._redis.expire(self._own_stream, 60)
        return feed

    async def _read(self) -> None:
        failures = 0
        while True:
            try:
                await self._read_once()
                failures = 0
            except (RedisError, OSError) as error:
                failures = min(failures + 1, 5)
                if failures == 1:
                    logger.warning("stream_not_read", reason=type(error).__name__)
                await asyncio.sleep(min(0.05 * 2**failures, 1.0))
            except Exception:  # one bad entry must not leave everybody here without news
                logger.exception("stream_not_understood")
                await asyncio.sleep(1.0)

    async def _read_once(self) -> None:
        feeds = {stream_of(organization_id): feed for organization_id, feed in self._feeds.items()}
        from_where: dict[Any, Any] = {stream: feed.end.entry_id for stream, feed in feeds.items()}
        read: Any = await self._redis.xread(
            self._read_up_to | from_where, count=BATCHES_AT_ONCE, block=BLOCK_MILLISECONDS
        )
        for name, entries in read or ():
            stream = name.decode()
            feed = feeds.get(stream)
            if feed is not None:
                for entry_id, fields in entries:
                    feed.deliver(batch_of(entry_id, fields))
                continue
            self._read_up_to[stream] = entries[-1][0].decode()
            if stream == CHANGES:
                self._access_changed.set()

    async def _look_around(self) -> None:
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._access_changed.wait(), LOOK_SECONDS)
            try:
                self._end_the_slow_and_the_expired()
                self._forget_feeds()
                await self._ask_standing()
                await self._compare_epoch()
            except (RedisError, OSError, DatabaseError) as error:
                logger.warning("look_around_failed", reason=type(error).__name__)
                await asyncio.sleep(LOOK_SECONDS)
            except Exception:  # whoever lost their way in must still be put out by the next look
                logger.exception("look_around_failed")
                await asyncio.sleep(LOOK_SECONDS)

    def _end_the_slow_and_the_expired(self) -> None:
        now, moment = clock.now(), time.monotonic()
        for watcher in list(self.watchers):
            if watcher.guest.expires_at is not None and watcher.guest.expires_at <= now:
                watcher.line.end(unauthenticated("The token has expired. Come back with a fresh one."))
            elif watcher.line.is_stalled(moment):
                watcher.line.end(TooSlow(4408, "Events are waiting, and nobody reads them. Resume by the offset."))

    def _forget_feeds(self) -> None:
        now = time.monotonic()
        for organization_id, feed in list(self._feeds.items()):
            if feed.is_watched:
                self._silent_since.pop(organization_id, None)
            elif now - self._silent_since.setdefault(organization_id, now) > FORGOTTEN_SECONDS:
                del self._feeds[organization_id], self._silent_since[organization_id]
                feed.close()

    async def _ask_standing(self) -> None:
        is_due = time.monotonic() - self._asked_standing_at > STANDING_SECONDS
        if not (is_due or self._access_changed.is_set()):
            return
        self._access_changed.clear()
        self._asked_standing_at = time.monotonic()
        guests = {watcher.guest for watcher in self.watchers}
        if guests:
            try:
                gone = await in_thread(self._threads, who_has_gone, guests)
            except DatabaseError:
                self._access_changed.set()  # asked again at the next look
                raise
            for watcher in list(self.watchers):
                if watcher.guest.way in gone:
                    watcher.line.end(unauthenticated("This way in was closed."))

    async def _compare_epoch(self) -> None:
        if not self._feeds:
            return
        epoch = await self._source.epoch()
        for feed in list(self._feeds.values()):
            if feed.epoch != epoch:
                page = await self._source.page(feed.organization_id)
                feed.begin_again(page.epoch, page.end)


def _pool() -> BlockingConnectionPool:
    return BlockingConnectionPool.from_url(
        settings.REDIS_URL,
        max_connections=CONNECTIONS,
        timeout=ANSWER_SECONDS,
        socket_connect_timeout=CONNECT_SECONDS,
        socket_timeout=ANSWER_SECONDS,
    )


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


def hub() -> Hub:
    """Of the running event loop."""
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        _hubs[loop] = Hub()
    return _hubs[loop]


async def close_hub() -> None:
    """Before its event loop ends."""
    found = _hubs.pop(asyncio.get_running_loop(), None)
    if found is not None:
        await found.close()
