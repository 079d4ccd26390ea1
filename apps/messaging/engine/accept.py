"""Write messages down, so that they cannot be lost any more, and ring.

However many messages are accepted at once, the number of statements is the same. What is wrong with one of them
keeps no other from being accepted.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.models import Organization
from apps.channels.content import as_document
from apps.channels.models import Ordering
from apps.core import clock
from apps.core.prepared import prepared_cursor
from apps.messaging import conversations
from apps.messaging.conversations import Place, Unplaced, Wish
from apps.messaging.engine import attach, bells, counted, order, quota, steps, traced
from apps.messaging.engine.judge import Known, judge
from apps.messaging.engine.new_message import Accepted, Answer, NewMessage, Refused
from apps.messaging.engine.publisher import publish_soon
from apps.messaging.models import Message
from apps.messaging.statuses import Category, Status
from apps.messaging.wording import compose
from apps.messaging.wording.compose import Composed, Uncomposed

# How long a fallback is kept that nothing came for: until no late news of its message is expected any more.
FALLBACK_KEPT = timedelta(days=8)


@traced.accepting
# No savepoint where the caller has a transaction: whatever fails here fails all of it.
@transaction.atomic(savepoint=False)
def accept(organization: Organization, wanted: Sequence[NewMessage]) -> list[Answer]:
    """What became of each, in order."""
    now = clock.now()
    wanted = _of_their_categories(organization, wanted)
    wishes = [Wish(each.account_id, each.to, each.conversation_id, each.category) for each in wanted]
    places = conversations.find_or_open(organization, wishes, is_sending=True)
    known = _look_up(organization, wanted, places)
    answers = [judge(message, about, now) for message, about in zip(wanted, known, strict=True)]
    answers = _within_quota(answers)
    accepted = [answer for answer in answers if isinstance(answer, Accepted)]
    if accepted:
        _write(organization, accepted, is_locked=len(wanted) == 1)
        counted.accepted(accepted)
        _ring(accepted)
    return answers


def _of_their_categories(organization: Organization, wanted: Sequence[NewMessage]) -> Sequence[NewMessage]:
    """What names no category of its own has that of the template that it goes as, or may go as."""
    named = {
        n: template.name
        for n, message in enumerate(wanted)
        if message.category == Category.TRANSACTIONAL
        and (template := message.template or message.template_fallback) is not None
    }
    if not named:
        return wanted
    known = compose.categories(organization, named.values())
    return [
        replace(message, category=known.get(named[n], message.category)) if n in named else message
        for n, message in enumerate(wanted)
    ]


def _look_up(
    organization: Organization, wanted: Sequence[NewMessage], places: Sequence[Place | Unplaced]
) -> list[Known]:
    """Nothing at all, where they are plain texts."""
    composed = _compose(organization, wanted, places, "template")
    outside = _compose(organization, wanted, places, "template_fallback")
    files = attach.look_up(organization, wanted)
    ways: Mapping[int, Any] = {}
    if any(message.fallback for message in wanted):
        ways = steps.resolve(organization, wanted, places, files)
    replies = {message.reply_to for message in wanted if message.reply_to is not None}
    answered: dict[UUID, UUID] = {}
    if replies:
        ours = Message.objects.for_organization(organization).filter(pk__in=replies)
        answered = dict(ours.values_list("pk", "conversation_id"))
    return [
        Known(
            place,
            composed.get(n),
            outside.get(n),
            ways.get(n, ()),
            answered.get(message.reply_to) if message.reply_to else None,
            files,
        )
        for n, (message, place) in enumerate(zip(wanted, places, strict=True))
    ]


def _compose(
    organization: Organization, wanted: Sequence[NewMessage], places: Sequence[Place | Unplaced], field: str
) -> Mapping[int, Composed | Uncomposed]:
    named = {
        n: compose.Wanted(template, place.connector, place.contact_id, field, message.category)
        for n, (message, place) in enumerate(zip(wanted, places, strict=True))
        if (template := getattr(message, field)) is not None and isinstance(place, Place)
    }
    return compose.compose(organization, named) if named else {}


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
    traces = traced.remembered(accepted)
    rows = [
        {
            "n": n,
            "id": answer.id,
            "account_id": answer.place.account_id,
            "conversation_id": answer.place.conversation_id,
            "text": answer.content.text,
            "content": _document(answer),
            "category": answer.category,
            "reply_to": answer.wanted.reply_to,
            "forwarded_from": answer.wanted.forwarded_from,
            "fallback_of": answer.wanted.fallback_of,
            "template_id": answer.template_id,
            "guard": answer.wanted.guard,
            "guard_key": answer.wanted.guard_key,
            "steps": answer.steps or None,
            "delivered_within": answer.wanted.delivered_within if answer.steps else None,
            "falls_back_at": _falls_back_at(answer) if answer.steps else None,
            "priority": answer.wanted.priority,
            "reference": answer.wanted.reference,
            "metadata": answer.wanted.metadata,
            "scheduled_at": answer.wanted.scheduled_at,
            "expires_at": answer.expires_at,
            "is_strict": answer.place.ordering == Ordering.STRICT,
            "trace": traces[n],
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


def _document(accepted: Accepted) -> dict[str, Any]:
    document = as_document(accepted.content)
    if accepted.outside_window is not None:
        outside = accepted.outside_window
        document["outside_window"] = {"text": outside.text, **as_document(outside)}
    return document


def _falls_back_at(accepted: Accepted) -> datetime:
    """When the next way is tried if nothing is heard; without a time, when the steps are forgotten."""
    wanted = accepted.wanted
    if wanted.delivered_within is not None:
        return (wanted.scheduled_at or accepted.created_at) + timedelta(seconds=wanted.delivered_within)
    return accepted.expires_at + FALLBACK_KEPT


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
           n int, id uuid, account_id uuid, conversation_id uuid, text text, content jsonb, category text,
           priority smallint, reference text, metadata jsonb, scheduled_at timestamptz, expires_at timestamptz,
           is_strict boolean, reply_to uuid, forwarded_from uuid, fallback_of uuid, template_id uuid, steps jsonb,
           delivered_within int, falls_back_at timestamptz, guard text, guard_key uuid, trace text)
), written AS (
    INSERT INTO message (id, organization_id, account_id, conversation_id, direction, status, text, content,
                         category, priority, reference, metadata, scheduled_at, expires_at, error_class,
                         error_code, error_detail, created_at, reply_to_id, forwarded_from_id, fallback_of_id,
                         has_fallback, template_id, guard, guard_key, trace)
    SELECT id, %(organization)s, account_id, conversation_id, 'outbound', %(queued)s, text, content, category,
           priority, reference, metadata, scheduled_at, expires_at, '', '', '', %(now)s, reply_to, forwarded_from,
           fallback_of, steps IS NOT NULL, template_id, guard, guard_key, trace
      FROM accepted
), with_fallback AS (
    INSERT INTO message_fallback (message_id, organization_id, steps, delivered_within, due_at)
    SELECT id, %(organization)s, steps, delivered_within, falls_back_at FROM accepted WHERE steps IS NOT NULL
), queued AS (
    INSERT INTO delivery (message_id, organization_id, account_id, conversation_id, is_head, state, priority,
                          due_at, expires_at, attempt, trace)
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
           priority, coalesce(scheduled_at, now()), expires_at, 0, trace
      FROM accepted
     ORDER BY n
)
INSERT INTO message_event (organization_id, message_id, conversation_id, kind, at, attempt, detail, trace)
SELECT %(organization)s, id, conversation_id, %(queued)s, %(now)s, 0, '{}', trace FROM accepted ORDER BY n
"""
