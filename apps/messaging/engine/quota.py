"""What an account may accept in a day, counted over all web processes."""

from uuid import UUID

import structlog

from apps.core.limiter import Grant, Limiter
from apps.core.redis import RedisError, is_left_alone, leave_alone, redis_client
from apps.messaging.engine.accounts import quota_key, quota_of

logger = structlog.get_logger(__name__)


def take(account_id: UUID, messages_a_day: int, wanted: int) -> Grant:
    """Without Redis nothing is counted: messages are accepted all the same, and the log says so."""
    unlimited = Grant(wanted, 0, 0.0, 0.0)
    if is_left_alone():
        return unlimited
    try:
        return Limiter(redis_client()).take(quota_key(account_id), quota_of(messages_a_day), wanted)
    except RedisError as error:
        leave_alone()
        logger.warning("quota_not_checked", reason=type(error).__name__)
        return unlimited
