"""Write messages down, so that they cannot be lost any more, and ring.

However many messages are accepted at once, the number of statements is the same. What is wrong with one of them
keeps no other from being accepted.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.models import Organization
from apps.channels.connector import text_length
from apps.channels.models import Ordering
from apps.channels.registry import connector_class
from apps.core import clock
from apps.core.ids import new_id
from apps.core.prepared import prepared_cursor
from apps.messaging import conversations
from apps.messaging.conversations import Place, Unplaced, Wish
from apps.messaging.engine import bells, order, quota
from apps.messaging.engine.publisher import publish_soon
from apps.messaging.statuses import Priority, Status

# Nobody wants to be reminded of last week's meeting; and nothing waits for ever.
LONGEST_LIFE = timedelta(days=7)
LONGEST_AHEAD = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class NewMessage:
    """What is asked for: either an account and an address, or a conversation that exists."""

    text: str
    account_id: UUID | None = None
    to: str | None = None
    conversation_id: UUID | None = None
    priority: int = Priority.NORMAL
    scheduled_at: datetime | None = None
    expires_at: datetime | None = None
    reference: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Accepted:
    id: UUID
    place: Place
    wanted: NewMessage
    expires_at: datetime
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Refused:
    """`field` is what is wrong, `code` is for programs, `detail` says what to do."""

    field: str
    code: str
    detail: str
    # Seconds after which the same message may be accepted.
    retry_after: float | None = None


type Answer = Accepted | Refused


# No savepoint where the caller has a transaction: whatever fails here fails all of it.
@transaction.atomic(savepoint=False)
def accept(organization: Organization, wanted: Sequence[NewMessage]) -> list[Answer]:
    """What became of each, in order."""
    now = clock.now()
    wishes = [Wish(message.account_id, message.to, message.conversation_id) for message in wanted]
    places = conversations.find_or_open(organization, wishes)
    answers = [_judge(message, place, now) for message, place in zip(wanted, places, strict=True)]
    answers = _within_quota(answers)
    accepted = [answer for answer in answers if isinstance(answer, Accepted)]
    if accepted:
        _write(organization, accepted, is_locked=len(wanted) == 1)
        _ring(accepted)
    return answers


def _judge(  # noqa: PLR0911 - one line a rule
    message: NewMessage, place: Place | Unplaced, now: datetime
) -> Answer:
    if isinstance(place, Unplaced):
        return Refused(place.field, place.code, place.detail)
    if place.is_closed and message.conversation_id is not None:
        return Refused(
            "conversation_id", "conversation_closed", _("This conversation is closed. Open it again first.")
        )
    if place.has_opted_out:
        return Refused("to", "opted_out", _("This person asked not to be written to here."))
    capabilities = connector_class(place.connector).capabilities
    if text_length(capabilities, message.text) > capabilities.longest_text:
        unit = _("bytes") if capabilities.text_unit == "bytes" else _("characters")
        detail = _("This channel carries at most %(most)d %(unit)s.") % {
            "most": capabilities.longest_text,
            "unit": unit,
        }
        return Refused("text", "too_long", detail)
    begins = message.scheduled_at or now
    if message.scheduled_at is not None and not now < begins <= now + LONGEST_AHEAD:
        return Refused("scheduled_at", "not_in_future", _("This must be in the future, and within a year."))
    expires_at = message.expires_at or begins + LONGEST_LIFE
    if not begins < expires_at <= begins + LONGEST_LIFE:
        detail = _("This must be after the message is due, and within seven days of that.")
        return Refused("expires_at", "bad_expiry", detail)
    return Accepted(new_id(), place, message, expires_at, now)


def _within_quota(answers: list[Answer]) -> list[Answer]:
    """Of an account that is near its quota, the first are accepted."""
    asked = Counter(
        (answer.place.account_id, answer.place.daily_quota)
        for answer in answers
        if isinstance(answer, Accepted) and answer.place.daily_quota is not None
    )
    if not asked:
        return answers
    grants = {account_id: quota.take(account_id, limit, n) for (account_id, limit), n in asked.items()}
    left = {account_id: grant.granted for account_id, grant in grants.items()}
    judged: list[Answer] = []
    for answer in answers:
        if isinstance(answer, Accepted) and answer.place.account_id in left:
            account_id = answer.place.account_id
            left[account_id] -= 1
            if left[account_id] < 0:
                detail = _("This account has sent what it may send in a day. Try again later, or raise its quota.")
                wait = grants[account_id].retry_after
                judged.append(Refused("account_id", "quota_exhausted", detail, retry_after=wait))
                continue
        judged.append(answer)
    return judged


def _write(organization: Organization, accepted: Sequence[Accepted], *, is_locked: bool) -> None:
    rows = [
        {
            "n": n,
            "id": answer.id,
            "account_id": answer.place.account_id,
            "conversation_id": answer.place.conversation_id,
            "text": answer.wanted.text,
            "priority": answer.wanted.priority,
            "reference": answer.wanted.reference,
            "metadata": answer.wanted.metadata,
            "scheduled_at": answer.wanted.scheduled_at,
            "expires_at": answer.expires_at,
            "is_strict": answer.place.ordering == Ordering.STRICT,
        }
        for n, answer in enumerate(accepted)
    ]
    with prepared_cursor() as cursor:
        if not is_locked:  # a single one was, when it was found
            order.lock(cursor, (answer.place.conversation_id for answer in accepted))
        cursor.execute(
            _WRITE,
            {
                "rows": orjson.dumps(rows).decode(),
                "organization": organization.id,
                "now": accepted[0].created_at,
                "queued": Status.QUEUED,
            },
        )


def _ring(accepted: Sequence[Accepted]) -> None:
    due = {
        bells.drain_bell(answer.place.connector, answer.place.account_id): None
        for answer in accepted
        if answer.wanted.scheduled_at is None
    }
    bells.ring_on_commit(due)
    publish_soon()


# A message is the head of its conversation when nothing is before it, in the queue or in this batch. One for later
# takes its place when it is due. Of an account that does not care for order, every message is a head.
_WRITE = """
WITH accepted AS MATERIALIZED (
    SELECT *
      FROM json_to_recordset(%(rows)s::json) AS accepted (
           n int, id uuid, account_id uuid, conversation_id uuid, text text, priority smallint, reference text,
           metadata jsonb, scheduled_at timestamptz, expires_at timestamptz, is_strict boolean)
), written AS (
    INSERT INTO message (id, organization_id, account_id, conversation_id, status, text, priority, reference,
                         metadata, scheduled_at, expires_at, error_class, error_code, error_detail, created_at)
    SELECT id, %(organization)s, account_id, conversation_id, %(queued)s, text, priority, reference,
           metadata, scheduled_at, expires_at, '', '', '', %(now)s
      FROM accepted
), queued AS (
    INSERT INTO delivery (message_id, organization_id, account_id, conversation_id, is_head, state, priority,
                          due_at, expires_at, attempt)
    SELECT id, %(organization)s, account_id, conversation_id,
           CASE WHEN scheduled_at IS NOT NULL THEN false
                WHEN NOT is_strict THEN true
                ELSE row_number() OVER (PARTITION BY conversation_id, scheduled_at IS NULL ORDER BY n) = 1
                     AND NOT EXISTS (SELECT 1
                                       FROM delivery AS before
                                      WHERE before.conversation_id = accepted.conversation_id
                                        AND before.state <> 'scheduled')
           END,
           CASE WHEN scheduled_at IS NULL THEN 'waiting' ELSE 'scheduled' END,
           priority, coalesce(scheduled_at, now()), expires_at, 0
      FROM accepted
     ORDER BY n
)
INSERT INTO message_event (organization_id, message_id, conversation_id, kind, at, attempt, detail)
SELECT %(organization)s, id, conversation_id, %(queued)s, %(now)s, 0, '{}' FROM accepted ORDER BY n
"""
