"""How much waits, and what failed for good, at every account: counted at once, every few seconds."""

from django.db import connection


def look() -> int:
    """How many accounts were looked at."""
    with connection.cursor() as cursor:
        cursor.execute(_LOOK)
        return int(cursor.rowcount)


# Both are read once from end to end: the ready table is short unless something is wrong, and of dead letters only
# the open ones are in the index.
_LOOK = """
WITH backlog AS (
    SELECT account_id, count(*) FILTER (WHERE state <> 'scheduled') AS waiting,
           count(*) FILTER (WHERE state = 'scheduled') AS scheduled,
           min(due_at) FILTER (WHERE state = 'waiting' AND due_at <= now()) AS oldest_due_at
      FROM delivery
     GROUP BY account_id
), dead AS (
    SELECT account_id, jsonb_object_agg(error_class, count) AS letters
      FROM (SELECT account_id, error_class, count(*) AS count
              FROM dead_letter
             WHERE state = 'open'
             GROUP BY account_id, error_class) AS alike
     GROUP BY account_id
)
INSERT INTO standing (account_id, organization_id, waiting, scheduled, oldest_due_at, dead_letters, looked_at)
SELECT account.id, account.organization_id, coalesce(waiting, 0), coalesce(scheduled, 0), oldest_due_at,
       coalesce(letters, '{}'), now()
  FROM channel_account AS account
  LEFT JOIN backlog ON backlog.account_id = account.id
  LEFT JOIN dead ON dead.account_id = account.id
 ORDER BY account.id
ON CONFLICT (account_id) DO UPDATE
   SET waiting = EXCLUDED.waiting, scheduled = EXCLUDED.scheduled, oldest_due_at = EXCLUDED.oldest_due_at,
       dead_letters = EXCLUDED.dead_letters, looked_at = EXCLUDED.looked_at
"""
