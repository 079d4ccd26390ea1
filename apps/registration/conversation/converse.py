"""The task that the bell wakes: take what waits to be heard, understand it, settle what follows.

A model may take its time: no transaction, lock or row is held while it is asked. What holds a conversation is its
lease, and one message of each is worked on at a time, so that a person is heard in the order in which they wrote.
"""

import time
from collections import Counter

import structlog
from django.db import DataError, IntegrityError
from django.db import Error as DatabaseError

from apps.core.redis import RedisError
from apps.messaging.engine.loop import Loop
from apps.messaging.engine.publisher import publish_now
from apps.registration.bell import BELL
from apps.registration.conversation import prepare, settle
from apps.registration.understanding.reader import understand

logger = structlog.get_logger(__name__)

# Of a message, and not of the database's or the network's mood.
_OF_ONE = (DataError, IntegrityError, ValueError, TypeError, LookupError, AssertionError)
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
    read = dict(zip((each.claimed.talk_id for each in asking), readings, strict=True))
    await loop.in_database(_settle, prepared, read)
    return len(prepared)


def _look(slot: int) -> list[prepare.Prepared]:
    BELL.answer(slot)
    prepared = prepare.take(AT_ONCE)
    if len(prepared) == AT_ONCE:
        BELL.ring_next(slot)
    return prepared


def _settle(prepared: list[prepare.Prepared], read: settle.Readings) -> None:
    try:
        settle.settle(prepared, read)
    except _OF_ONE:
        # One of them is to blame: each alone.
        for each in prepared:
            _settle_alone(each, read)
    publish_now()


def _settle_alone(each: prepare.Prepared, read: settle.Readings) -> None:
    """What cannot be worked on is for a person of the team, and keeps nobody else waiting."""
    try:
        settle.settle([each], read)
    except _OF_ONE as error:
        # Neither its words nor its traceback: they may hold what somebody wrote.
        logger.error(  # noqa: TRY400
            "message_not_heard", conversation_id=str(each.claimed.conversation_id), reason=type(error).__name__
        )
        settle.give_up(each)
