"""What is known of accounts at this moment, for people to look at."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import structlog

from apps.channels.models import ChannelAccount
from apps.core.breaker import Breaker, BreakerState
from apps.core.redis import RedisError, is_left_alone, leave_alone, redis_client
from apps.core.scripts import ask_all

logger = structlog.get_logger(__name__)


class AccountState(StrEnum):
    """The one thing to know of an account: what somebody has to do something about comes first."""

    # It paused itself: the provider does not take its credentials.
    REFUSED = "refused"
    PAUSED = "paused"
    # The breaker is not closed.
    FAILING = "failing"
    DRAINING = "draining"
    LIVE = "live"


def state_of(account: ChannelAccount, breaker: BreakerState | None, now: datetime) -> AccountState:
    if account.is_paused(now):
        return AccountState.REFUSED if account.is_refused else AccountState.PAUSED
    if breaker is not None and breaker.status != "closed":
        return AccountState.FAILING
    return AccountState.DRAINING if account.is_draining(now) else AccountState.LIVE


def breaker_key(account: ChannelAccount) -> str:
    return f"account:{account.pk}"


def breaker_state(account: ChannelAccount) -> BreakerState | None:
    """None while nobody can tell."""
    return breaker_states([account]).get(account.pk)


def breaker_states(accounts: Sequence[ChannelAccount]) -> Mapping[UUID, BreakerState]:
    """In one round trip; nothing while nobody can tell."""
    if not accounts or is_left_alone():
        return {}
    try:
        client = redis_client()
        breaker = Breaker(client)
        questions = [breaker.asking_state(breaker_key(account)) for account in accounts]
        return dict(zip([account.pk for account in accounts], ask_all(client, *questions), strict=True))
    except RedisError as error:
        leave_alone()
        logger.warning("breaker_not_read", reason=type(error).__name__)
        return {}
