"""What became of reminders in the end: the last of the messages that took each other's places."""

from collections.abc import Collection
from uuid import UUID

from django.db import connection

from apps.messaging.models import Message

# More ways than any message has.
MOST_STEPS = 20


def last_messages(message_ids: Collection[UUID]) -> dict[UUID, Message]:
    """By the first one, in two statements however many there are."""
    if not message_ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_LAST, {"ids": list(message_ids), "most": MOST_STEPS})
        last = dict(cursor.fetchall())
    found = Message.across_organizations.select_related("account").in_bulk(set(last.values()))
    return {first: found[message_id] for first, message_id in last.items() if message_id in found}


_LAST = """
WITH RECURSIVE chain AS (
    SELECT id AS first, id, 1 AS step FROM message WHERE id = ANY(%(ids)s::uuid[])
    UNION ALL
    SELECT chain.first, next.id, chain.step + 1
      FROM chain JOIN message AS next ON next.fallback_of_id = chain.id
     WHERE chain.step < %(most)s
)
SELECT DISTINCT ON (first) first, id FROM chain ORDER BY first, step DESC
"""
