"""Questions that other apps want to be asked just before a message of theirs leaves.

A message names its guard and a key; whoever registered under that name is asked about a batch of keys at once, and
answers for those that may not leave now. Whoever is not named may.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

import structlog
from django.db import Error as DatabaseError

from apps.channels.content import Content
from apps.channels.errors import RateLimited, RecipientRejected, SendFailed
from apps.channels.models import ChannelAccount
from apps.messaging.engine.guard import Cleared
from apps.messaging.engine.outcome import Outcome, Result

logger = structlog.get_logger(__name__)


class Stopped(RecipientRejected):
    """Whoever asked for the message wants it no more."""

    name = "stopped"


class Deferred(RateLimited):
    """Whoever asked for the message wants it later."""

    name = "deferred"


@dataclass(frozen=True, slots=True)
class Stop:
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Wait:
    seconds: float


@dataclass(frozen=True, slots=True)
class Say:
    """It may leave, with these words, which are kept nowhere: the message's own only stand for them."""

    text: str = field(repr=False)


type Verdict = Stop | Wait | Say

# Whoever could not be asked is asked again so soon.
FAILED_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Asked:
    key: UUID
    # The channel over which it would go, and to whom.
    connector: str
    address: str


type Guard = Callable[[Sequence[Asked]], Mapping[UUID, Verdict]]

_guards: dict[str, Guard] = {}


def register(name: str, guard: Guard) -> None:
    _guards[name] = guard


def ask_guards(account: ChannelAccount, cleared: Sequence[Cleared], lease: UUID) -> list[Cleared | Outcome]:
    """Each guard once, about all that name it; nobody at all where none is named."""
    named: dict[str, list[Asked]] = defaultdict(list)
    for each in cleared:
        if each.delivery.guard_key is not None:
            named[each.delivery.guard].append(Asked(each.delivery.guard_key, account.connector, each.delivery.to))
    if not named:
        return list(cleared)
    verdicts = {name: _ask(name, asked) for name, asked in named.items()}
    return [_judged(each, verdicts, lease) for each in cleared]


def _ask(name: str, asked: Sequence[Asked]) -> Mapping[UUID, Verdict]:
    """A guard that fails lets nothing through, and keeps nobody else's messages from leaving."""
    try:
        return _guards[name](asked)
    except DatabaseError:
        raise
    except Exception:
        logger.exception("guard_failed", guard=name)
        return {each.key: Wait(FAILED_SECONDS) for each in asked}


def _judged(cleared: Cleared, verdicts: Mapping[str, Mapping[UUID, Verdict]], lease: UUID) -> Cleared | Outcome:
    delivery = cleared.delivery
    if delivery.guard_key is None:
        return cleared
    verdict = verdicts[delivery.guard].get(delivery.guard_key)
    if verdict is None:
        return cleared
    if isinstance(verdict, Say):
        return replace(cleared, content=Content(verdict.text))
    if isinstance(verdict, Stop):
        error: SendFailed = Stopped(verdict.code, verdict.detail)
        result, seconds = Result.CANCELLED, 0.0
    else:
        result, seconds, error = Result.POSTPONED, verdict.seconds, Deferred()
    return Outcome(delivery.message_id, delivery.conversation_id, lease, result, seconds=seconds, error=error)
