"""Take conversations in which something waits to be heard, under a lease: nobody else works on one meanwhile."""

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db import connection

from apps.core.ids import new_id
from apps.messaging.conversations import lock
from apps.messaging.models import Conversation

# Longer than a model may take for all of a batch, with time to write down what came of it.
LEASE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Claimed:
    """The message of a conversation that was waiting for longest."""

    talk_id: UUID
    lease: UUID
    # By which the claim is known: another one says that more has come.
    due_at: datetime
    organization_id: UUID
    conversation_id: UUID
    account_id: UUID
    contact_id: UUID
    contact_language: str
    # Empty where what waited is gone, as it was erased.
    waiting_id: int | None
    message_id: UUID | None
    text: str = field(repr=False)


def claim(most: int) -> list[Claimed]:
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, {"most": most, "lease": new_id(), "seconds": LEASE_SECONDS})
        return [Claimed(*row) for row in cursor.fetchall()]


def hold(conversation_ids: Iterable[UUID]) -> None:
    """Before anything else, as whoever writes down what people wrote does: conversations, talks, registrations."""
    lock(Conversation.across_organizations.filter(pk__in=list(conversation_ids)))


def release(claimed: Sequence[Claimed], heard: Container[UUID]) -> None:
    """In the transaction of what came of those that were `heard`, by talk; the others are due as before."""
    with connection.cursor() as cursor:
        cursor.execute(
            _RELEASE,
            {
                "talks": [each.talk_id for each in claimed],
                "leases": [each.lease for each in claimed],
                "dues": [each.due_at for each in claimed],
                "heard": [(each.waiting_id or 0) if each.talk_id in heard else 0 for each in claimed],
            },
        )


def held(claimed: Sequence[Claimed]) -> set[UUID]:
    """Whose lease is still ours; their rows are locked until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM registration_talk"
            " WHERE id = ANY(%s) AND lease = ANY(%s) ORDER BY id FOR NO KEY UPDATE",
            [[each.talk_id for each in claimed], list({each.lease for each in claimed})],
        )
        return {talk_id for (talk_id,) in cursor.fetchall()}


_CLAIM = """
WITH due AS MATERIALIZED (
    SELECT id, due_at
      FROM registration_talk
     WHERE due_at <= clock_timestamp() AND (leased_until IS NULL OR leased_until < clock_timestamp())
     ORDER BY due_at
     LIMIT %(most)s
       FOR NO KEY UPDATE SKIP LOCKED
), taken AS (
    UPDATE registration_talk AS talk
       SET lease = %(lease)s, leased_until = clock_timestamp() + make_interval(secs => %(seconds)s)
      FROM due WHERE talk.id = due.id
    RETURNING talk.id, talk.lease, talk.due_at, talk.organization_id, talk.conversation_id
)
SELECT taken.id, taken.lease, taken.due_at, taken.organization_id, taken.conversation_id,
       conversation.account_id, conversation.contact_id, contact.language, waiting.id, waiting.message_id,
       coalesce(message.text, '')
  FROM taken
  JOIN conversation ON conversation.id = taken.conversation_id
  JOIN contact ON contact.id = conversation.contact_id
  LEFT JOIN LATERAL (SELECT id, message_id FROM registration_heard_message
                 WHERE talk_id = taken.id ORDER BY id LIMIT 1) AS waiting ON true
  LEFT JOIN message ON message.id = waiting.message_id
"""

_RELEASE = """
WITH done AS (
    SELECT * FROM unnest(%(talks)s::uuid[], %(leases)s::uuid[], %(dues)s::timestamptz[], %(heard)s::bigint[])
        AS done (talk_id, lease, due_at, heard_id)
), gone AS (
    DELETE FROM registration_heard_message USING done WHERE id = done.heard_id
)
UPDATE registration_talk AS talk
   SET lease = NULL, leased_until = NULL,
       due_at = CASE
           WHEN talk.due_at IS DISTINCT FROM done.due_at
             OR EXISTS (SELECT 1 FROM registration_heard_message AS more
                         WHERE more.talk_id = done.talk_id AND more.id > done.heard_id)
           THEN talk.due_at END
  FROM done
 WHERE talk.id = done.talk_id AND talk.lease = done.lease
"""
