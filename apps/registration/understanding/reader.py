"""Understands messages: by rules where they are certain, else by the model where there is one, else by rules."""

import asyncio
from collections.abc import Sequence

import structlog
from django.conf import settings

from apps.core.breaker import Breaker, BreakerPolicy, Permission
from apps.core.guarded_http import GuardedClient
from apps.core.redis import RedisError, is_left_alone, leave_alone, redis_client
from apps.registration.understanding import ollama
from apps.registration.understanding.reading import Asked, Reading
from apps.registration.understanding.rules.reader import RulesReader

logger = structlog.get_logger(__name__)

BREAKER_KEY = "ollama"
AT_ONCE = 4
# For all that is read at once: whoever wrote waits, and the lease of their conversation ends some day.
MODEL_SECONDS = 20.0
_FAILURES = 3
_OPEN_SECONDS = 30.0

_RULES = RulesReader()


async def understand(texts: Sequence[tuple[str, Asked]]) -> list[Reading]:
    """One reading for each, in their order. Never raises for what is in a text, or for a model that fails."""
    judged = [_RULES.judge(text, asked) for text, asked in texts]
    readings = [each.reading for each in judged]
    doubtful = [n for n, each in enumerate(judged) if not each.is_certain]
    if not settings.OLLAMA_URL or not doubtful:
        return readings
    places = asyncio.Semaphore(AT_ONCE)
    async with ollama.ollama_client() as client:
        asking = [asyncio.create_task(_by_model(client, places, *texts[n])) for n in doubtful]
        done, late = await asyncio.wait(asking, timeout=MODEL_SECONDS)
        for each in late:
            each.cancel()
        await asyncio.gather(*late, return_exceptions=True)
    for n, asked in zip(doubtful, asking, strict=True):
        readings[n] = (asked.result() if asked in done else None) or readings[n]
    return readings


async def _by_model(client: GuardedClient, places: asyncio.Semaphore, text: str, asked: Asked) -> Reading | None:
    """The breaker is asked before each: a model that hangs keeps the first few waiting, not all of them."""
    async with places:
        permission = await asyncio.to_thread(_permission)
        if permission is None or not permission.allowed:
            return None
        try:
            reading = await ollama.read(client, text, asked)
        except ollama.NotUnderstood as failure:
            logger.warning("model_did_not_understand", reason=failure.reason)
            await asyncio.to_thread(_report, permission, is_outage=failure.is_outage)
            return None
        await asyncio.to_thread(_report, permission, is_outage=False)
        return reading


def _policy() -> BreakerPolicy:
    return BreakerPolicy(_FAILURES, _OPEN_SECONDS, probe_seconds=settings.OLLAMA_SECONDS + _OPEN_SECONDS)


def _permission() -> Permission | None:
    """None while nobody can tell; the rules do without."""
    if is_left_alone():
        return None
    try:
        return Breaker(redis_client()).ask(BREAKER_KEY, _policy())
    except RedisError as error:
        leave_alone()
        logger.warning("breaker_not_read", reason=type(error).__name__)
        return None


def _report(permission: Permission, *, is_outage: bool) -> None:
    """Nonsense is an answer too: one odd message shall not take the model from everybody."""
    if not is_outage and not permission.failures and permission.probe is None:
        return
    breaker = Breaker(redis_client())
    try:
        if is_outage:
            breaker.failed(BREAKER_KEY, _policy(), permission.probe)
        else:
            breaker.succeeded(BREAKER_KEY, _policy(), permission.probe)
    except RedisError as error:
        leave_alone()
        logger.warning("breaker_not_told", reason=type(error).__name__)
