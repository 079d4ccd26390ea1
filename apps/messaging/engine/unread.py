"""Whether a receipt may have come that nobody has read yet. What its absence would decide waits for that."""

from apps.messaging.engine.store import LANES
from apps.messaging.models.provider_callback import MOST_FAILURES

_LANES = ",".join(str(lane) for lane in range(LANES))


def unread(account: str) -> str:
    """A condition on callbacks of this account, a column. What came just now is on its way to whoever reads.

    LIMIT, and not EXISTS, which PostgreSQL may answer by reading the whole table: a long one, when it matters.
    """
    return f"""(SELECT true
                  FROM provider_callback AS unread
                 WHERE unread.lane IN ({_LANES}) AND unread.account_id = {account}
                   AND unread.failures < {MOST_FAILURES}
                   AND unread.received_at < now() - interval '1 second'
                 LIMIT 1) IS NOT NULL"""  # noqa: S608 - of constants
