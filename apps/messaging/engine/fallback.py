"""Another way to the same person: the next account or channel, when a message did not arrive.

Each step is a message of its own, which takes the place of the one before. It is taken when the provider refused
the message or the person, when attempts are exhausted, or when nobody said `delivered` in time. Never where the
outcome is unknown: the person may have the message.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto
from typing import Any
from uuid import UUID

import orjson
from django.db import connection, transaction

from apps.accounts.models import Organization
from apps.channels.content import from_document
from apps.channels.errors import OutcomeUnknown
from apps.channels.models import ChannelAccount
from apps.channels.registry import connector_class
from apps.core.deadlocks import tried_again
from apps.messaging.engine import cancel
from apps.messaging.engine.accept import accept
from apps.messaging.engine.new_message import Accepted, NewMessage, Step, WantedTemplate
from apps.messaging.engine.publisher import publish_soon
from apps.messaging.engine.unread import unread
from apps.messaging.statuses import Status

AT_ONCE = 100
# What cannot be taken back now is looked at again so soon.
POSTPONED_SECONDS = 5.0
# Why, where it was not the provider that said so.
NOT_DELIVERED = "not_delivered"


@dataclass(slots=True)
class _Due:
    """A message that may need another way, under the lock of its row."""

    message_id: UUID
    organization_id: UUID
    conversation_id: UUID
    status: Status
    error_class: str
    text: str
    content: Mapping[str, Any]
    category: str
    priority: int
    reference: str
    metadata: Mapping[str, Any]
    expires_at: datetime
    steps: list[dict[str, Any]]
    delivered_within: int | None
    guard: str
    guard_key: UUID | None
    # What became of the steps that could not be taken.
    refused: list[dict[str, str]] = field(default_factory=list)


@tried_again
def take_due() -> int:
    """The next steps of messages whose time has come. How many were looked at."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_LOCK_DUE, [AT_ONCE])
        # Read in a statement of its own: as it stands now that nobody else changes it.
        cursor.execute(_DUE, [[message_id for (message_id,) in cursor.fetchall()]])
        due = [_read(row) for row in cursor.fetchall()]
        if not due:
            return 0
        organizations = Organization.objects.in_bulk({each.organization_id for each in due})
        verdicts = {each.message_id: _judge(each) for each in due}
        _take([each for each in due if verdicts[each.message_id] is _Verdict.TAKE], organizations)
        waiting = [each for each in due if verdicts[each.message_id] is _Verdict.TAKE_BACK]
        postponed = [each.message_id for each in waiting if not _replace(each, organizations)]
        cursor.execute(_POSTPONE, [POSTPONED_SECONDS, postponed])
        cursor.execute(_FORGET, [[each.message_id for each in due if each.message_id not in postponed]])
    return len(due)


class _Verdict(Enum):
    TAKE = auto()
    # It still waits: it is taken back first, or it would come twice.
    TAKE_BACK = auto()
    NEVER = auto()


def _judge(due: _Due) -> _Verdict:
    if due.status == Status.FAILED:
        return _Verdict.NEVER if due.error_class == OutcomeUnknown.name else _Verdict.TAKE
    if due.delivered_within is None:
        return _Verdict.NEVER
    if due.status == Status.SENT:
        return _Verdict.TAKE
    return _Verdict.TAKE_BACK if due.status in {Status.QUEUED, Status.SENDING} else _Verdict.NEVER


class _StaysWhereItIs(Exception):
    """It is at the provider, or there is no other way for now."""


def _replace(due: _Due, organizations: Mapping[UUID, Organization]) -> bool:
    """False, and nothing changed, where it cannot be taken back or nothing else would be sent instead."""
    try:
        with transaction.atomic():
            if not cancel.cancel(organizations[due.organization_id], due.conversation_id, due.message_id):
                raise _StaysWhereItIs  # noqa: TRY301 - it rolls back
            if not _take([due], organizations):
                raise _StaysWhereItIs  # noqa: TRY301 - it rolls back
    except _StaysWhereItIs:
        return False
    return True


def _take(due: Sequence[_Due], organizations: Mapping[UUID, Organization]) -> int:
    """For each the first step that is accepted; how many were. What failed and has none left is a dead letter."""
    taken: dict[UUID, dict[str, Any]] = {}
    pending = list(due)
    while pending:
        accounts = ChannelAccount.across_organizations.in_bulk(
            {UUID(each.steps[0]["account_id"]) for each in pending}
        )
        by_organization: dict[UUID, list[_Due]] = defaultdict(list)
        for each in pending:
            by_organization[each.organization_id].append(each)
        for organization_id, theirs in by_organization.items():
            wanted = [_next(each, accounts) for each in theirs]
            for each, answer in zip(theirs, accept(organizations[organization_id], wanted), strict=True):
                step = each.steps.pop(0)
                if isinstance(answer, Accepted):
                    taken[each.message_id] = _told(each, answer)
                else:
                    each.refused.append({"account_id": step["account_id"], "code": answer.code})
        pending = [each for each in pending if each.message_id not in taken and each.steps]
    _write(due, taken)
    return len(taken)


def _next(due: _Due, accounts: Mapping[UUID, ChannelAccount]) -> NewMessage:
    step, *later = due.steps
    account = accounts[UUID(step["account_id"])]
    reports_delivered = connector_class(account.connector).capabilities.reports_delivered
    return NewMessage(
        text=due.text,
        account_id=account.id,
        to=step["to"],
        content=None if "template" in step else from_document(due.text, due.content),
        template=_template(step, "template"),
        template_fallback=_template(step, "template_fallback"),
        category=due.category,
        priority=due.priority,
        expires_at=due.expires_at,
        fallback=tuple(
            Step(account_id=UUID(each["account_id"]), to=each["to"], template=_template(each, "template"))
            for each in later
        ),
        delivered_within=due.delivered_within if later and reports_delivered else None,
        reference=due.reference,
        metadata=dict(due.metadata),
        guard=due.guard,
        guard_key=due.guard_key,
        fallback_of=due.message_id,
    )


def _template(step: Mapping[str, Any], name: str) -> WantedTemplate | None:
    return WantedTemplate(**step[name]) if name in step else None


def _told(due: _Due, accepted: Accepted) -> dict[str, Any]:
    return {
        "message_id": accepted.id,
        "account_id": accepted.place.account_id,
        "channel": accepted.place.connector,
        "error": due.error_class or NOT_DELIVERED,
    }


def _write(due: Sequence[_Due], taken: Mapping[UUID, Mapping[str, Any]]) -> None:
    if not due:
        return
    events = [
        {
            "id": each.message_id,
            "detail": {
                # As it stands, for those who only follow statuses.
                "status": Status.CANCELLED if each.status in {Status.QUEUED, Status.SENDING} else each.status,
                **taken.get(each.message_id, {}),
                **({"refused": each.refused} if each.refused else {}),
            },
        }
        for each in due
    ]
    with connection.cursor() as cursor:
        cursor.execute(_TELL, [orjson.dumps(events).decode()])
        cursor.execute(_BURY, [[each.message_id for each in due if each.message_id not in taken]])
    publish_soon()


def _read(row: tuple[Any, ...]) -> _Due:
    message_id, organization_id, conversation_id, status, *rest = row
    error_class, text, content, category, priority, reference, metadata, expires_at, steps, within, *guard = rest
    return _Due(
        message_id,
        organization_id,
        conversation_id,
        Status(status),
        error_class,
        text,
        orjson.loads(content),
        category,
        priority,
        reference,
        orjson.loads(metadata),
        expires_at,
        orjson.loads(steps),
        within,
        *guard,
    )


# With their conversations, which whoever writes down a receipt or an outcome locks before these. What is locked is
# passed over, not waited for: its news may have made another way needless. So may a receipt that is not read yet.
_LOCK_DUE = f"""
SELECT due.message_id
  FROM message_fallback AS due
  JOIN message ON message.id = due.message_id
  JOIN conversation ON conversation.id = message.conversation_id
 WHERE due.due_at <= now() AND (message.status <> 'sent' OR NOT ({unread("message.account_id")}))
 ORDER BY due.due_at
 LIMIT %s
   FOR NO KEY UPDATE OF conversation, due SKIP LOCKED
"""  # noqa: S608 - of constants

_DUE = """
SELECT message.id, message.organization_id, message.conversation_id, message.status, message.error_class,
       message.text, message.content::text, message.category, message.priority, message.reference,
       message.metadata::text, message.expires_at, due.steps::text, due.delivered_within,
       message.guard, message.guard_key
  FROM message_fallback AS due JOIN message ON message.id = due.message_id
 WHERE due.message_id = ANY(%s::uuid[])
 ORDER BY due.due_at
"""

_POSTPONE = """
UPDATE message_fallback SET due_at = now() + make_interval(secs => %s) WHERE message_id = ANY(%s::uuid[])
"""

# The message keeps what it was given: only that there is no other way any more is noted.
_FORGET = """
WITH forgotten AS (
    DELETE FROM message_fallback WHERE message_id = ANY(%s::uuid[]) RETURNING message_id
)
UPDATE message SET has_fallback = false FROM forgotten WHERE message.id = forgotten.message_id
"""

_TELL = """
INSERT INTO message_event (organization_id, message_id, conversation_id, kind, at, attempt, detail, trace)
SELECT message.organization_id, message.id, message.conversation_id, 'fell_back', now(), 0, told.detail,
       message.trace
  FROM json_to_recordset(%s::json) AS told (id uuid, detail jsonb) JOIN message ON message.id = told.id
"""

_BURY = """
INSERT INTO dead_letter AS dead (id, organization_id, account_id, message_id, state, error_class, error_code,
                                 error_detail, attempts, replays, discard_reason, created_at, changed_at)
SELECT id, organization_id, account_id, id, 'open', error_class, error_code, error_detail, 1, 0, '', now(), now()
  FROM message
 WHERE id = ANY(%s::uuid[]) AND status = 'failed'
ON CONFLICT (message_id) DO UPDATE SET state = 'open', changed_at = now()
"""
