"""The task that the bell wakes: fan out, claim, call and record, overlapping, for a slice of seconds.

A slow endpoint has few calls at once and never keeps the loop waiting. No transaction, lock or row of the database
is held while anybody is called: what holds a delivery is its lease.
"""

import asyncio
import time
from collections import Counter

import structlog
from django.db import Error as DatabaseError

from apps.callbacks import metrics
from apps.callbacks.engine.bell import BELL
from apps.callbacks.engine.call import Outcome, call
from apps.callbacks.engine.claim import Claimed, claim
from apps.callbacks.engine.fan_out import fan_out
from apps.callbacks.engine.record import record
from apps.core.guarded_http import GuardedClient
from apps.core.redis import RedisError
from apps.messaging.engine.loop import Loop

logger = structlog.get_logger(__name__)

SLICE_SECONDS = 5.0
CALLS_AT_ONCE = 100
# How long calls under way keep it from looking for more.
POLL_SECONDS = 0.1


class Courier:
    def __init__(self, loop: Loop, client: GuardedClient, slot: int) -> None:
        self._loop = loop
        self._client = client
        self._slot = slot
        self._under_way: set[asyncio.Task[Outcome]] = set()
        self.tally: Counter[str] = Counter()

    async def run(self) -> None:
        try:
            await self._claim_for_a_slice()
        except (RedisError, DatabaseError) as error:
            # The sweep rings again.
            logger.warning("courier_stopped", reason=type(error).__name__)
        finally:
            while self._under_way:
                await self._record_what_ends(None)

    async def _claim_for_a_slice(self) -> None:
        ends = time.monotonic() + SLICE_SECONDS
        while time.monotonic() < ends:
            is_more, claimed = await self._loop.in_database(self._look, CALLS_AT_ONCE - len(self._under_way))
            self._under_way |= {asyncio.create_task(call(self._client, each)) for each in claimed}
            if self._under_way:
                await self._record_what_ends(POLL_SECONDS)
            elif not is_more and await self._loop.in_database(BELL.may_rest, self._slot):
                return
        # Before the last calls end: whatever else is due waits for none of them.
        await self._loop.in_database(BELL.ring_again, self._slot)

    def _look(self, room: int) -> tuple[bool, list[Claimed]]:
        """Whether more has happened than was read, and what is to be sent."""
        BELL.answer(self._slot)
        is_more = fan_out()
        claimed = claim(room) if room else []
        if room and len(claimed) == room:
            BELL.ring_next(self._slot)
        return is_more, claimed

    async def _record_what_ends(self, longest: float | None) -> None:
        done, self._under_way = await asyncio.wait(
            self._under_way, timeout=longest, return_when=asyncio.FIRST_COMPLETED
        )
        if not done:
            return
        outcomes = [task.result() for task in done]
        try:
            written = await self._loop.in_database(record, outcomes)
        except DatabaseError as error:
            # Their leases end, and they are sent once more: receivers know them by their ids.
            logger.warning("outcomes_not_recorded", count=len(outcomes), reason=type(error).__name__)
            return
        delivered = sum(outcome.is_success for outcome in outcomes)
        for result, count in (("delivered", delivered), ("failed", len(outcomes) - delivered)):
            self.tally[result] += count
            if count:
                metrics.CALLS.add(result, by=count)
        self.tally["lost_lease"] += len(outcomes) - written


async def deliver(loop: Loop, slot: int = 0) -> dict[str, int]:
    """What Flower shows of it."""
    courier = Courier(loop, await loop.client(), slot)
    await courier.run()
    return {name: count for name, count in courier.tally.items() if count}
