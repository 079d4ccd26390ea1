"""Dead letters that are alike: what failed, where, how often, and since when.

A provider that was down for an hour leaves thousands of them with one cause, and one decision serves all.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection

# So many of the oldest open ones are looked at; whoever has more knows where to begin.
MOST_LOOKED_AT = 50_000
MOST_CAUSES = 50


@dataclass(frozen=True, slots=True)
class Cause:
    organization_id: UUID
    account_id: UUID
    account: str
    error_class: str
    error_code: str
    # One of its letters' words.
    detail: str
    count: int
    # Of these, those that were tried again and failed again.
    failed_again: int
    oldest_at: datetime
    newest_at: datetime


@dataclass(frozen=True, slots=True)
class Causes:
    """The most frequent first."""

    causes: list[Cause]
    # Whether all that are open were looked at.
    is_whole: bool


def causes(organizations: Sequence[UUID]) -> Causes:
    with connection.cursor() as cursor:
        cursor.execute(
            _CAUSES,
            {"organizations": list(organizations), "most": MOST_LOOKED_AT + 1, "causes": MOST_CAUSES + 1},
        )
        rows = cursor.fetchall()
    looked_at = rows[0][0] if rows else 0
    found = [Cause(*row[1:]) for row in rows]
    return Causes(found[:MOST_CAUSES], looked_at <= MOST_LOOKED_AT and len(found) <= MOST_CAUSES)


_CAUSES = """
WITH looked_at AS MATERIALIZED (
    SELECT organization_id, account_id, error_class, error_code, error_detail, replays, created_at
      FROM dead_letter
     WHERE organization_id = ANY(%(organizations)s) AND state = 'open'
     ORDER BY organization_id, id
     LIMIT %(most)s
), alike AS (
    SELECT organization_id, account_id, error_class, error_code, max(error_detail) AS detail, count(*) AS count,
           count(*) FILTER (WHERE replays > 0) AS failed_again, min(created_at) AS oldest_at,
           max(created_at) AS newest_at
      FROM looked_at
     GROUP BY organization_id, account_id, error_class, error_code
     ORDER BY count(*) DESC, min(created_at)
     LIMIT %(causes)s
)
SELECT (SELECT count(*) FROM looked_at), alike.organization_id, alike.account_id, account.name, error_class,
       error_code, detail, alike.count, failed_again, oldest_at, newest_at
  FROM alike JOIN channel_account AS account ON account.id = alike.account_id
 ORDER BY alike.count DESC, oldest_at
"""
