"""The drain: claim, send and record, overlapping, so that a slow answer delays no other message.

It works for one account, for a slice of seconds, then lets others have their turn. No transaction, lock or row of
the database is held while a provider is called: what holds a message is its lease.
"""

import asyncio
import time
from collections import Counter
from contextlib import nullcontext
from dataclasses import replace
from uuid import UUID

import structlog
from django.conf import settings
from django.db import Error as DatabaseError

from apps.channels.connector import Outbound
from apps.channels.errors import OutcomeUnknown, SendFailed
from apps.channels.models import ChannelAccount
from apps.channels.registry import connector
from apps.core import tracing
from apps.core.guarded_http import GuardedClient
from apps.core.redis import RedisError, redis_client
from apps.messaging.consent.links import one_click_url
from apps.messaging.engine import bells, counted
from apps.messaging.engine.accounts import read_account, remembered_account
from apps.messaging.engine.claim import Claim, Claimed
from apps.messaging.engine.drain_trace import DrainTrace
from apps.messaging.engine.gate import Gate, Opening
from apps.messaging.engine.guard import Cleared
from apps.messaging.engine.loop import Loop
from apps.messaging.engine.outcome import Outcome, Result
from apps.messaging.engine.settle import Attempt, outcome_of_failure, settle
from apps.messaging.engine.take import Taken, seconds_to_next, take
from apps.messaging.statuses import Category

logger = structlog.get_logger(__name__)

SLICE_SECONDS = 5.0
# How long a drain at work waits for news before it looks for more to do.
POLL_SECONDS = 0.05
# How long a drain that has nothing left to do waits for more, looking so often whether others need its worker.
LINGER_SECONDS = 0.25
LINGER_LOOK_SECONDS = 0.02
RECORD_AT_ONCE = 500
# Files that one drain hands over at once: each takes some megabytes of memory, and its share of the line. As many
# are at hand beside them; others wait in the queue, about as long as those before them take, in nobody's way.
UPLOADS_AT_ONCE = 4
UPLOAD_SECONDS = 1.0
# A database that is away is asked again so often, until the leases end.
DATABASE_AWAY_SECONDS = 0.5


class Drain:
    def __init__(
        self,
        loop: Loop,
        client: GuardedClient,
        account: ChannelAccount,
        slot: int = 0,
        task: str = "",
        *,
        ringer: str | None = None,
    ) -> None:
        self._loop = loop
        self._client = client
        self._account = account
        self._task = task
        self._connector = connector(account.connector)
        self._credentials = account.credential_values
        self._callback_url = account.callback_url
        self._bell = bells.drain_bell(account.connector, account.id, slot)
        self._gate = Gate(redis_client())
        self._in_flight: set[asyncio.Task[None]] = set()
        self._connections = asyncio.Semaphore(settings.DRAIN_CONCURRENCY)
        self._uploads = asyncio.Semaphore(UPLOADS_AT_ONCE)
        self._uploads_at_hand = 0
        # As many again are at hand, so that no connection waits for a claim; but not where nobody could tell after
        # a crash which of them were sent.
        can_tell = self._connector.capabilities.echoes_our_id
        self._most_claimed = settings.DRAIN_CONCURRENCY * (2 if can_tell else 1)
        self._finished: list[tuple[Attempt, float]] = []
        self._something_finished = asyncio.Event()
        self._something_recorded = asyncio.Event()
        self._is_recording = False
        self._slice_ends = time.monotonic() + SLICE_SECONDS
        self._is_closing = False
        self.tally: Counter[str] = Counter()
        self.trace = DrainTrace(account, task, ringer)

    async def run(self) -> None:
        recorder = asyncio.create_task(self._record_what_finished())
        try:
            await self._claim_for_a_slice()
        except (RedisError, DatabaseError) as error:
            # Without limits nothing may be sent, without the database nothing is known. The sweep rings again.
            logger.warning("drain_stopped", reason=type(error).__name__)
        finally:
            if self._in_flight:
                await asyncio.wait(self._in_flight)
            self._is_closing = True
            self._something_finished.set()
            await recorder

    async def _claim_for_a_slice(self) -> None:
        while time.monotonic() < self._slice_ends:
            self._something_recorded.clear()
            room = self._most_claimed - len(self._in_flight)
            if room < settings.DRAIN_CONCURRENCY / 2:
                await self._wait_for_news()
                continue
            taken = await self._loop.in_database(self._take, room, not self._is_busy)
            if taken.wait is not None:
                # What comes of our own calls may end the wait: a probe that succeeds closes the breaker.
                if self._is_busy:
                    await self._wait_for_news(taken.wait)
                elif not self._something_recorded.is_set():
                    await self._loop.in_database(bells.doorbells().sleep, self._bell, taken.wait)
                    return
                continue
            self._send_all(taken)
            if taken.has_claimed:
                # Only now, for what was taken is under way.
                await self._loop.in_database(self._give_back, taken)
                if not taken.unused or not taken.ready:
                    continue  # there may be more
            if self._is_busy:
                # What ends lets the next message of its conversation go.
                await self._wait_for_news()
            elif not self._something_recorded.is_set() and await self._loop.in_database(self._may_rest):
                return
        await self._loop.in_database(self._ring_again)

    def _take(self, room: int, is_idle: bool) -> Taken:
        taken = self._look(room)
        while is_idle and taken.is_empty and self._is_rung_for_soon():
            taken = self._look(room)
        return taken

    def _look(self, room: int) -> Taken:
        taken = take(self._account, self._gate, room, bells.doorbells().answering(self._bell))
        if taken.claim is not None and not taken.claim.deliveries:
            self._reread_account()
        elif len(taken.ready) == room > settings.DRAIN_CONCURRENCY / 2:
            self._call_for_help()
        if taken.is_empty:
            self._give_back(taken)
        return taken

    def _give_back(self, taken: Taken) -> None:
        if taken.unused:
            self._gate.give_back(self._account, taken.opening, taken.unused)

    def _is_rung_for_soon(self) -> bool:
        """So an account with a few messages a second keeps one task at work, rather than starting one for each."""
        ends = min(time.monotonic() + LINGER_SECONDS, self._slice_ends)
        while self._bell.slot == 0 and time.monotonic() < ends and not bells.others_wait(self._account.connector):
            if bells.doorbells().wait(self._bell, LINGER_LOOK_SECONDS):
                return True
        return False

    def _reread_account(self) -> None:
        """Nothing was claimed: perhaps because the account is not what it was."""
        account = read_account(self._account.id)
        if account is not None and account.version != self._account.version:
            self._account = account
            self._credentials = account.credential_values
            bells.doorbells().ring([self._bell])

    def _call_for_help(self) -> None:
        """There is more than one drain can carry."""
        slot = self._bell.slot + 1
        if slot < settings.DRAINS_PER_ACCOUNT:
            bells.ring([bells.drain_bell(self._account.connector, self._account.id, slot)])

    def _may_rest(self) -> bool:
        if not bells.doorbells().may_rest(self._bell):
            return False
        if self._bell.slot == 0 and (seconds := seconds_to_next(self._account)) is not None:
            bells.doorbells().set_alarm(self._bell, seconds)
        return True

    def _ring_again(self) -> None:
        bells.doorbells().forget([self._bell])
        bells.ring([self._bell])

    def _send_all(self, taken: Taken) -> None:
        self.tally["claimed"] += len(taken.ready)
        if taken.claim is not None:
            self.trace.claimed(taken.claim)
        put_off = 0
        for cleared in taken.ready:
            assert taken.claim is not None
            if cleared.file is not None and self._uploads_at_hand >= 2 * UPLOADS_AT_ONCE:
                put_off += 1
                outcome = _returned(cleared.delivery, taken.claim, UPLOAD_SECONDS * put_off / UPLOADS_AT_ONCE)
                self._finish(cleared, taken.claim, taken.opening, outcome)
                continue
            self._uploads_at_hand += cleared.file is not None
            task = asyncio.create_task(self._send(cleared, taken.claim, taken.opening))
            self._in_flight.add(task)
            task.add_done_callback(self._in_flight.discard)

    async def _send(self, cleared: Cleared, claim: Claim, opening: Opening) -> None:
        # Whoever waits for an upload keeps no connection from anybody else.
        async with self._uploads if cleared.file else nullcontext(), self._connections:
            outcome = await self.trace.calling(cleared.delivery, self._attempt(cleared, claim))
        self._uploads_at_hand -= cleared.file is not None
        self._finish(cleared, claim, opening, outcome)

    def _finish(self, cleared: Cleared, claim: Claim, opening: Opening, outcome: Outcome) -> None:
        self._finished.append((Attempt(cleared.delivery, opening, outcome), claim.lease_ends))
        self._something_finished.set()

    async def _attempt(self, cleared: Cleared, claim: Claim) -> Outcome:
        delivery = cleared.delivery

        def outcome(result: Result, provider_id: str | None = None) -> Outcome:
            return Outcome(
                delivery.message_id,
                delivery.conversation_id,
                claim.lease,
                result,
                provider_id=provider_id,
                milliseconds=elapsed(),
                drain=self._task,
            )

        def elapsed() -> int:
            return round((time.monotonic() - started) * 1000)

        started = time.monotonic()
        seconds = claim.lease_ends - started - settings.OUTBOUND_SECONDS
        if delivery.is_expired:
            return outcome(Result.EXPIRED)
        if seconds < (settings.OUTBOUND_SECONDS if cleared.file else 0):
            # It waited, or this process was stopped: the message may be somebody else's before the call is over.
            return _returned(delivery, claim)
        try:
            return outcome(Result.SENT, await self._connector.send(self._client, self._outbound(cleared, seconds)))
        except SendFailed as failure:
            error = failure
        except Exception as bug:
            logger.exception("connector_failed", message_id=str(delivery.message_id))
            error = OutcomeUnknown("connector_failed", type(bug).__name__)
        return outcome_of_failure(self._account, delivery, claim.lease, error, elapsed(), drain=self._task)

    def _outbound(self, cleared: Cleared, seconds: float) -> Outbound:
        """A file may take as long as leaves time to write down what came of it."""
        delivery, file = cleared.delivery, cleared.file
        return Outbound(
            delivery.message_id,
            delivery.to,
            cleared.content,
            self._credentials,
            delivery.answers or "",
            self._callback_url,
            self._unsubscribe_url(delivery),
            file and replace(file, seconds=seconds),
        )

    def _unsubscribe_url(self, delivery: Claimed) -> str:
        """What was ordered or asked for is nothing to unsubscribe from."""
        if not self._connector.capabilities.offers_one_click or delivery.contact_id is None:
            return ""
        if delivery.category == Category.TRANSACTIONAL:
            return ""
        return one_click_url(delivery.contact_id, delivery.category)

    async def _record_what_finished(self) -> None:
        while not (self._is_closing and not self._finished):
            await self._something_finished.wait()
            self._something_finished.clear()
            while self._finished:
                batch, self._finished = self._finished[:RECORD_AT_ONCE], self._finished[RECORD_AT_ONCE:]
                self._is_recording = True
                await self._settle([attempt for attempt, _ in batch], min(ends for _, ends in batch))
                self._is_recording = False
                self._something_recorded.set()

    async def _settle(self, attempts: list[Attempt], lease_ends: float) -> None:
        """Tried until it is written down: while the leases hold, a database that comes back loses nothing."""
        began = tracing.now()
        while True:
            try:
                written = await self._loop.in_database(settle, self._account, self._gate, attempts)
            except DatabaseError as error:
                logger.warning("outcomes_not_recorded", count=len(attempts), reason=type(error).__name__)
                if time.monotonic() > lease_ends:
                    return
                await asyncio.sleep(DATABASE_AWAY_SECONDS)
            else:
                self.tally.update(attempt.outcome.result for attempt in attempts)
                self.tally["lost_lease"] += len(attempts) - written
                self.trace.recorded(attempts, began)
                return

    @property
    def _is_busy(self) -> bool:
        return bool(self._in_flight or self._finished or self._is_recording)

    async def _wait_for_news(self, longest: float = POLL_SECONDS) -> None:
        try:
            async with asyncio.timeout(min(longest, SLICE_SECONDS)):
                await self._something_recorded.wait()
        except TimeoutError:
            pass


def _returned(delivery: Claimed, claim: Claim, seconds: float = 0.0) -> Outcome:
    return Outcome(delivery.message_id, delivery.conversation_id, claim.lease, Result.RETURNED, seconds=seconds)


async def drain(
    loop: Loop, account_id: UUID, slot: int = 0, task: str = "", ringer: str | None = None
) -> dict[str, str | int]:
    """What Flower shows of it, and by which id; in the trace of whoever rang."""
    account = remembered_account(account_id) or await loop.in_database(read_account, account_id)
    if account is None:
        return {}
    work = Drain(loop, await loop.client(), account, slot, task, ringer=ringer)
    with counted.drain(account):
        await work.trace.around(work.run, work.tally)
    return {"account": account.name, **{name: count for name, count in work.tally.items() if count}}
