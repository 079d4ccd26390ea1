"""Whatever takes a way in from somebody says so here, and who keeps connections open looks at once who may stay.

It is a hint: they look by the clock as well.
"""

import structlog
from django.db import transaction

from apps.core.redis import RedisError, is_left_alone, leave_alone, redis_client

# A stream of which only the newest entry matters.
CHANGES = "recado:access"

logger = structlog.get_logger(__name__)


def announce() -> None:
    """Once it is committed."""
    transaction.on_commit(_tell)


def _tell() -> None:
    if is_left_alone():
        return
    try:
        redis_client().xadd(CHANGES, {"changed": b""}, maxlen=1)
    except RedisError as error:
        leave_alone()
        logger.warning("access_change_not_told", reason=type(error).__name__)
