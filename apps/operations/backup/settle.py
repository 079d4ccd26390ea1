"""What a database needs that is older than the world it comes back to, however it came back."""

from dataclasses import dataclass
from datetime import datetime

import structlog
from django.db import connection

from apps.core.redis import RedisError, redis_client
from apps.operations.backup import hold, renumber
from apps.realtime import stream

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Settled:
    held: int
    is_renumbered: bool
    # Whether clients will be told that they missed something; None where Redis does not answer.
    has_new_epoch: bool | None


def settle(taken_at: datetime | None, *, holds: bool) -> Settled:
    """Run again, it does what is left to do."""
    lift_limits()
    # First of all, so that nothing leaves should the rest fail.
    held = hold.hold(taken_at) if holds else 0
    is_renumbered = renumber.renumber()
    renumber.skip_ids()
    settled = Settled(held, is_renumbered, _begin_new_epoch())
    logger.info("restored_database_settled", held=held, renumbered=is_renumbered)
    return settled


def lift_limits() -> None:
    """Of this connection: what is done here reads whole tables."""
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")


def _begin_new_epoch() -> bool | None:
    """A Redis that outlived the database knows events that the database does not; an empty one begins anew."""
    try:
        client = redis_client()
        theirs = stream.position(client)
        if theirs is not None:
            with connection.cursor() as cursor:
                cursor.execute("SELECT transaction::text || '/' || event_id FROM event_cursor WHERE id = 1")
                row = cursor.fetchone()
            if row is not None:
                stream.begin_again(client, theirs, row[0])
    except RedisError as error:
        logger.warning("redis_not_told_of_restore", reason=type(error).__name__)
        return None
    return True
