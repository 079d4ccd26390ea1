"""Calls back: what there is to tell in groups, posted again and again until it is taken."""

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError  # no ClientError, yet let out by the pure-Python parser

from apps.channels.simulators.schedule import Schedule

logger = logging.getLogger(__name__)

MOST_IN_A_GROUP = 100
MOST_POSTS_AT_ONCE = 4
MOST_PENDING = 500_000
"""Statuses. Beyond it, new ones are given up: a receiver that stays away shall not fill the memory."""

_POST_SECONDS = 10.0
_FIRST_RETRY_SECONDS = 0.1
_LONGEST_RETRY_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class News:
    """Something to tell an account."""

    account: str
    body: bytes
    """As the provider writes it."""

    url: str = ""
    """Where to, for providers that are told with each message."""


@dataclass(frozen=True, slots=True)
class Post:
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


type Compose = Callable[[Sequence[News]], Post | None]
"""Puts news that travel together into one call; None where nobody wants to hear it."""


@dataclass(slots=True)
class _Group:
    news: list[News]
    post: Post | None = None
    attempts: int = 0
    first_tried: float = 0.0
    tried: asyncio.Event = field(default_factory=asyncio.Event)


class Callbacks:
    """What one provider posts.

    Each waits until it is due and is grouped with what falls due together, whatever account it is of. A group
    that was not taken (no connection, no answer in ten seconds, no 2xx) comes again, the same bytes, while others
    go past it: as with Meta, nothing promises order.
    """

    def __init__(
        self,
        compose: Compose,
        *,
        group_seconds: float,
        retry_seconds: float,
        most_in_a_group: int = MOST_IN_A_GROUP,
    ) -> None:
        self.posted = 0
        self.failed = 0
        self.pending = 0
        self.group_seconds = group_seconds
        self._compose = compose
        self._most_in_a_group = most_in_a_group
        self._retry_seconds = retry_seconds
        self._schedule = Schedule[News](group_seconds, self._send_off)
        self._queue: asyncio.Queue[_Group] = asyncio.Queue()
        self._retries: set[asyncio.TimerHandle] = set()
        self._in_trouble = False

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        self._session = aiohttp.ClientSession(
            # Many servers hang up after 5 s of silence; a post that crosses their goodbye would be in vain.
            connector=aiohttp.TCPConnector(limit=MOST_POSTS_AT_ONCE, keepalive_timeout=4.0),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=_POST_SECONDS),
        )
        posters = [asyncio.create_task(self._post_for_ever()) for _ in range(MOST_POSTS_AT_ONCE)]
        try:
            yield
        finally:
            self._schedule.stop()
            for retry in self._retries:
                retry.cancel()
            for poster in posters:
                poster.cancel()
            await asyncio.gather(*posters, return_exceptions=True)
            await self._session.close()
            if self.pending:
                logger.warning("stopped with %d statuses not yet posted", self.pending)

    def add(self, due: float, status: News) -> None:
        """`due` is on the event loop's clock."""
        if self._admit(1):
            self._schedule.add(due, status)

    async def post_now(self, news: Sequence[News]) -> None:
        """Past the schedule. Returns once they were posted, or failed to be for the first time."""
        if self._admit(len(news)):
            groups = [*self._grouped(news)]
            for group in groups:
                self._queue.put_nowait(group)
            for group in groups:
                await group.tried.wait()

    def forget(self) -> None:
        """What is pending stays pending, and will be counted when it is over."""
        self.posted = self.failed = 0

    def _admit(self, count: int) -> bool:
        if self.pending + count > MOST_PENDING:
            self.failed += count
            return False
        self.pending += count
        return True

    def _send_off(self, due: list[News]) -> None:
        for group in self._grouped(due):
            self._queue.put_nowait(group)

    def _grouped(self, news: Sequence[News]) -> Iterator[_Group]:
        for start in range(0, len(news), self._most_in_a_group):
            yield _Group(list(news[start : start + self._most_in_a_group]))

    async def _post_for_ever(self) -> None:
        while True:
            group = await self._queue.get()
            failure = await self._post(group)
            group.tried.set()
            if failure:
                self._put_off(group, failure)
            else:
                self.pending -= len(group.news)
                self.posted += len(group.news)
                if self._in_trouble:
                    self._in_trouble = False
                    logger.info("%s takes callbacks again", _address(group))

    async def _post(self, group: _Group) -> str:
        """What went wrong, if anything did."""
        if not group.attempts:
            group.first_tried = time.monotonic()
            group.post = self._compose(group.news)
        group.attempts += 1
        post = group.post
        if post is None:
            return ""
        try:
            async with self._session.post(
                post.url, data=post.body, headers=post.headers, allow_redirects=False
            ) as answer:
                await answer.read()
        except TimeoutError:
            return "no answer in time"
        except (aiohttp.ClientError, HttpProcessingError, OSError) as error:
            return type(error).__name__
        return "" if 200 <= answer.status < 300 else f"answer {answer.status}"

    def _put_off(self, group: _Group, failure: str) -> None:
        if not self._in_trouble:
            self._in_trouble = True
            logger.warning("%s does not take callbacks (%s): trying again", _address(group), failure)
        if time.monotonic() - group.first_tried > self._retry_seconds:
            self.pending -= len(group.news)
            self.failed += len(group.news)
            logger.error("gave up %d statuses for %s (%s)", len(group.news), _address(group), failure)
            return
        delay = min(_FIRST_RETRY_SECONDS * 2 ** min(group.attempts - 1, 10), _LONGEST_RETRY_SECONDS)
        delay *= random.uniform(0.5, 1.0)  # noqa: S311 - nobody's secret

        def come_again() -> None:
            self._retries.discard(retry)
            self._queue.put_nowait(group)

        retry = asyncio.get_running_loop().call_later(delay, come_again)
        self._retries.add(retry)


def _address(group: _Group) -> str:
    return group.post.url if group.post else ""


def by_account(news: Sequence[News]) -> dict[str, list[bytes]]:
    found: dict[str, list[bytes]] = {}
    for each in news:
        found.setdefault(each.account, []).append(each.body)
    return found
