"""Take due messages, under a lease: for as long as it lasts, nobody else sends them.

One statement, whatever the number: it marks the deliveries, moves the messages to `sending` and writes the events.
"""

import time
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings

from apps.channels.models import ChannelAccount
from apps.core.ids import new_id
from apps.core.prepared import prepared_cursor

# Longer than a call to a provider may take, with time to write down what came of it.
LEASE_SECONDS = 4.0 * settings.OUTBOUND_SECONDS


@dataclass(frozen=True, slots=True)
class Claimed:
    message_id: UUID
    conversation_id: UUID
    to: str
    text: str
    attempt: int
    is_expired: bool


@dataclass(frozen=True, slots=True)
class Claim:
    lease: UUID
    deliveries: list[Claimed]
    # On this machine's own steady clock, which goes on while a process is stopped.
    lease_ends: float


def claim(account: ChannelAccount, most: int) -> Claim:
    """Up to `most` heads of conversations that are due, the most urgent first.

    None at all when the account was changed or paused since it was read.
    """
    lease = new_id()
    lease_ends = time.monotonic() + LEASE_SECONDS
    with prepared_cursor() as cursor:
        cursor.execute(_CLAIM, {"account": account.id, "version": account.version, "most": most, "lease": lease,
                                "lease_seconds": LEASE_SECONDS})  # fmt: skip
        return Claim(lease, [Claimed(*row) for row in cursor.fetchall()], lease_ends)


# Each priority is a range of the index of its own, read in order and no further than needed. A row that another
# drain is just taking is passed over, not waited for.
_CLAIM = """
WITH chosen AS MATERIALIZED (
    SELECT due.message_id
      FROM unnest('{2,1,0}'::smallint[]) AS level (priority),
           LATERAL (SELECT message_id
                      FROM delivery
                     WHERE account_id = %(account)s AND state = 'waiting' AND is_head
                       AND priority = level.priority AND due_at <= now()
                     ORDER BY due_at
                     LIMIT %(most)s
                       FOR UPDATE SKIP LOCKED) AS due
     WHERE EXISTS (SELECT 1 FROM channel_account WHERE id = %(account)s AND version = %(version)s)
     LIMIT %(most)s
), claimed AS (
    UPDATE delivery
       SET state = 'sending', lease = %(lease)s, attempt = attempt + 1,
           due_at = now() + make_interval(secs => %(lease_seconds)s)
      FROM chosen
     WHERE delivery.message_id = chosen.message_id
    RETURNING delivery.message_id, delivery.organization_id, delivery.conversation_id, delivery.attempt,
              delivery.expires_at
), moved AS (
    UPDATE message SET status = 'sending'
      FROM claimed
     WHERE message.id = claimed.message_id AND message.status = 'queued'
), noted AS (
    INSERT INTO message_event (organization_id, message_id, conversation_id, kind, at, attempt, detail)
    SELECT organization_id, message_id, conversation_id, 'sending', now(), attempt, '{}' FROM claimed
)
SELECT claimed.message_id, claimed.conversation_id, conversation.address, message.text, claimed.attempt,
       claimed.expires_at <= now()
  FROM claimed
  JOIN message ON message.id = claimed.message_id
  JOIN conversation ON conversation.id = claimed.conversation_id
"""
