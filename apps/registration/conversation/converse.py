"""The task that the bell wakes: take what waits to be heard, understand it, settle what follows.

A model may take its time: no transaction, lock or row is held while it is asked. What holds a conversation is its
lease, and one message of each is worked on at a time, so that a person is heard in the order in which they wrote.
"""

import asyncio
import time
from collections import Counter

import structlog
from django.db import DataError, IntegrityError
from django.db import Error as DatabaseError

from apps.core.encryption import UnreadableSecret
from apps.core.redis import RedisError
from apps.messaging.engine.loop import Loop
from apps.messaging.engine.publisher import publish_now
from apps.registration.bell import BELL
from apps.registration.conversation import settle
from apps.registration.conversation.claim import Claimed, claim
from apps.registration.conversation.heard import checked
from apps.registration.conversation.mail_check import without_dead_domains
from apps.registration.conversation.prepare import Prepared, prepare
from apps.registration.conversation.team import give_up
from apps.registration.understanding.reader import understand
from apps.registration.understanding.reading import Reading

logger = structlog.get_logger(__name__)

# Of a message, and not of the database's or the network's mood.
_OF_ONE = (
    DataError, IntegrityError, UnreadableSecret, ValueError, TypeError, LookupError, AssertionError
)  # fmt: skip
SLICE_SECONDS = 5.0
AT_ONCE = 50


async def converse(loop: Loop, slot: int = 0) -> dict[str, int]:
    """What Flower shows of it."""
    tally: Counter[str] = Counter()
    ends = time.monotonic() + SLICE_SECONDS
    try:
        while time.monotonic() < ends:
            heard = await _hear_some(loop, slot)
            tally["heard"] += heard
            if not heard and await loop.in_database(BELL.may_rest, slot):
                return dict(tally)
        await loop.in_database(BELL.ring_again, slot)
    except (RedisError, DatabaseError) as error:
        # The sweep rings again.
        logger.warning("converse_stopped", reason=type(error).__name__)
    return dict(tally)


async def _hear_some(loop: Loop, slot: int) -> int:
    prepared = await loop.in_database(_look, slot)
    if not prepared:
        return 0
    asking = [each for each in prepared if each.asked is not None]
    readings = await understand([(each.claimed.text, each.asked) for each in asking if each.asked is not None])
    heard = await asyncio.to_thread(_check, asking, readings)
    await loop.in_database(_settle, prepared, heard)
    return len(prepared)


def _look(slot: int) -> list[Prepared]:
    BELL.answer(slot)
    claimed = claim(AT_ONCE)
    if len(claimed) == AT_ONCE:
        BELL.ring_next(slot)
    try:
        return prepare(claimed)
    except _OF_ONE:
        return [prepared for each in claimed for prepared in _prepare_alone(each)]


def _prepare_alone(claimed: Claimed) -> list[Prepared]:
    try:
        return prepare([claimed])
    except _OF_ONE as error:
        _give_up(Prepared(claimed), error)
        return []


def _check(asking: list[Prepared], readings: list[Reading]) -> settle.Hearings:
    return without_dead_domains(
        {
            each.claimed.talk_id: (checked(reading, each.language), each.language)
            for each, reading in zip(asking, readings, strict=True)
        }
    )


def _settle(prepared: list[Prepared], heard: settle.Hearings) -> None:
    try:
        settle.settle(prepared, heard)
    except _OF_ONE:
        # One of them is to blame: each alone.
        for each in prepared:
            _settle_alone(each, heard)
    publish_now()


def _settle_alone(each: Prepared, heard: settle.Hearings) -> None:
    try:
        settle.settle([each], heard)
    except _OF_ONE as error:
        _give_up(each, error)


def _give_up(each: Prepared, error: Exception) -> None:
    """What cannot be worked on is for a person of the team, and keeps nobody else waiting."""
    # Neither its words nor its traceback: they may hold what somebody wrote.
    logger.error(
        "message_not_heard", conversation_id=str(each.claimed.conversation_id), reason=type(error).__name__
    )
    give_up(each)
