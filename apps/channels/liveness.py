"""What is known of an account at this moment, for people to look at."""

import structlog

from apps.channels.models import ChannelAccount
from apps.core.breaker import Breaker, BreakerState
from apps.core.redis import RedisError, is_left_alone, leave_alone, redis_client

logger = structlog.get_logger(__name__)


def breaker_key(account: ChannelAccount) -> str:
    return f"account:{account.pk}"


def breaker_state(account: ChannelAccount) -> BreakerState | None:
    """None while nobody can tell."""
    if is_left_alone():
        return None
    try:
        return Breaker(redis_client()).state(breaker_key(account))
    except RedisError as error:
        leave_alone()
        logger.warning("breaker_not_read", reason=type(error).__name__)
        return None
