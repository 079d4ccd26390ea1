"""Take due messages, under a lease: for as long as it lasts, nobody else sends them.

One statement, whatever the number: it marks the deliveries, moves the messages to `sending` and writes the events.
"""

import time
from dataclasses import dataclass
from datetime import datetime
from datetime import time as time_of_day
from uuid import UUID

from django.conf import settings

from apps.channels.content import PLAIN
from apps.channels.models import ChannelAccount
from apps.channels.registry import connector_class
from apps.core.ids import new_id
from apps.core.prepared import prepared_cursor
from apps.messaging.consent.refusal import refusal
from apps.messaging.statuses import Category

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
    # Everything else of what it says, as it is stored.
    content: str = PLAIN
    # The provider's id of the message that it answers.
    answers: str | None = None
    category: str = Category.TRANSACTIONAL
    # Why the person is not written to, in a word.
    refusal: str | None = None
    last_inbound_at: datetime | None = None
    contact_id: UUID | None = None
    quiet_from: time_of_day | None = None
    quiet_until: time_of_day | None = None
    time_zone: str = ""
    has_fallback: bool = False
    guard: str = ""
    guard_key: UUID | None = None
    # The span that accepted it, where that was sampled.
    trace: str | None = None
    # When it was to leave, in seconds since 1970.
    since: float = 0.0


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
                                "lease_seconds": LEASE_SECONDS, "organization": account.organization_id,
                                "connector": account.connector,
                                "kind": connector_class(account.connector).capabilities.address})  # fmt: skip
        return Claim(lease, [Claimed(*row) for row in cursor.fetchall()], lease_ends)


# LATERAL, and one row each: every row is a look-up in an index, however many the planner expects to be claimed.
# Each priority is a range of the index of its own, read in order and no further than needed. A row that another
# drain is just taking is passed over, not waited for.
_CLAIM = f"""
WITH chosen AS MATERIALIZED (
    SELECT due.message_id
      FROM unnest('{{2,1,0}}'::smallint[]) AS level (priority),
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
              delivery.expires_at, delivery.trace
), moved AS (
    UPDATE message SET status = 'sending'
      FROM claimed
     WHERE message.id = claimed.message_id AND message.status = 'queued'
), noted AS (
    INSERT INTO message_event (organization_id, message_id, conversation_id, kind, at, attempt, detail, trace)
    SELECT organization_id, message_id, conversation_id, 'sending', now(), attempt, '{{}}', trace FROM claimed
)
SELECT claimed.message_id, claimed.conversation_id, conversation.address, message.text, claimed.attempt,
       claimed.expires_at <= now(), message.content::text, answered.provider_id, message.category,
       {refusal("%(connector)s", "%(kind)s", "conversation.address", "message.category")},
       conversation.last_inbound_at, contact.id, contact.quiet_from, contact.quiet_until, contact.time_zone,
       message.has_fallback, message.guard, message.guard_key, claimed.trace,
       extract(epoch FROM coalesce(message.scheduled_at, message.created_at))::float8
  FROM claimed
  JOIN LATERAL (SELECT * FROM message WHERE id = claimed.message_id LIMIT 1) AS message ON true
  JOIN LATERAL (SELECT * FROM conversation WHERE id = claimed.conversation_id LIMIT 1) AS conversation ON true
  JOIN LATERAL (SELECT * FROM contact WHERE id = conversation.contact_id LIMIT 1) AS contact ON true
  LEFT JOIN LATERAL (SELECT provider_id FROM message AS earlier
                      WHERE earlier.id = message.reply_to_id LIMIT 1) AS answered ON true
"""  # noqa: S608 - of constants
