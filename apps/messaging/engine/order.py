"""How order is kept within a conversation.

Of the deliveries of a conversation, only the first is marked as its head, and only heads can be claimed. So a
claim never walks over what has to wait, however long the queue of one conversation is. The mark passes on when the
head is gone; the conversation's row, locked, keeps that from racing with somebody who is adding to the queue.
"""

from collections.abc import Iterable, Sequence
from uuid import UUID

from django.db.backends.utils import CursorWrapper

from apps.core.prepared import Statement

LOCK = Statement(
    "lock_conversations",
    ["uuid[]"],
    "SELECT 1 FROM conversation WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE",
)


def lock(cursor: CursorWrapper, conversations: Iterable[UUID]) -> None:
    """Always in the order of their ids, or two transactions would wait for each other.

    Whoever decides on what others may have changed does so in a statement after this one.
    """
    cursor.execute(
        "SELECT 1 FROM conversation WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE", [list(set(conversations))]
    )


def promote(cursor: CursorWrapper, ended_heads: Sequence[tuple[UUID, int]]) -> None:
    """Mark who is next, in these conversations, after the places where their heads were."""
    if not ended_heads:
        return
    cursor.execute(
        _PROMOTE, [[conversation for conversation, _ in ended_heads], [position for _, position in ended_heads]]
    )


def promoting(ended: str) -> str:
    """The same as part of another statement, in which `ended` has the conversations and places of what ended."""
    return f"""
UPDATE delivery
   SET is_head = true
  FROM {ended},
       LATERAL (SELECT message_id
                  FROM delivery AS waiting
                 WHERE waiting.conversation_id = ended.conversation_id
                   -- Past the one that ended, so that no dead row before it is looked at again.
                   AND waiting.position > ended.position
                   AND waiting.state <> 'scheduled'
                 ORDER BY waiting.position
                 LIMIT 1) AS next
 WHERE delivery.message_id = next.message_id AND NOT delivery.is_head
"""  # noqa: S608 - of constants


_PROMOTE = promoting("unnest(%s::uuid[], %s::bigint[]) AS ended (conversation_id, position)")
