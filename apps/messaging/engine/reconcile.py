"""Receipts against what we know: which message each is of, and how far that moves it.

A receipt that names our id also settles an unknown outcome: the delivery that waited for it is gone, and the next
message of its conversation may go.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from django.db import transaction
from django.db.backends.utils import CursorWrapper

from apps.channels.callback import ReceiptStatus
from apps.channels.metrics import class_of
from apps.core import tracing
from apps.core.prepared import prepared_cursor
from apps.messaging.engine import counted, order, traced
from apps.messaging.statuses import MAY_FOLLOW, Status


@dataclass(frozen=True, slots=True)
class KnownReceipt:
    """A receipt, verified to be from the provider of this account."""

    account_id: UUID
    provider_id: str
    status: ReceiptStatus
    at: datetime
    message_id: UUID | None = None
    error_class: str = ""
    error_code: str = ""
    error_detail: str = ""


@dataclass(slots=True)
class _Story:
    """A message, and what its receipts add."""

    id: UUID
    organization_id: UUID
    account_id: UUID
    conversation_id: UUID
    status: Status
    provider_id: str | None
    trace: str | None
    connector: str
    rate_per_second: float
    # When the provider had taken it, as far as we know.
    sent_at: datetime | None
    news: list[KnownReceipt] = field(default_factory=list)

    @property
    def labels(self) -> tuple[str, str]:
        return self.connector, class_of(self.rate_per_second)

    def seconds_until(self, receipt: KnownReceipt) -> float | None:
        return None if self.sent_at is None else (receipt.at - self.sent_at).total_seconds()


def apply(receipts: Sequence[KnownReceipt]) -> list[KnownReceipt]:
    """A fixed number of statements. Returns the receipts whose message is not known, which changed nothing."""
    if not receipts:
        return []
    began = tracing.now()
    with transaction.atomic(), prepared_cursor() as cursor:
        stories, unmatched = _read(cursor, receipts)
        moves = counted.Moves()
        for story, receipt in stories:
            if Status(receipt.status) != story.status and story.status in MAY_FOLLOW[Status(receipt.status)]:
                moves.add(story.labels, story.status, receipt, story.seconds_until(receipt))
                story.status = Status(receipt.status)
                story.provider_id = story.provider_id or receipt.provider_id
                story.news.append(receipt)
        moved = {story.id: story for story, _ in stories if story.news}
        if moved:
            _write(cursor, list(moved.values()))
            transaction.on_commit(moves.count)
    for story in moved.values():
        if story.trace is not None:
            traced.received(story.id, story.trace, [receipt.status.value for receipt in story.news], began)
    return unmatched


def _read(
    cursor: CursorWrapper, receipts: Sequence[KnownReceipt]
) -> tuple[list[tuple[_Story, KnownReceipt]], list[KnownReceipt]]:
    """Each receipt with its message, which nobody else changes until this transaction ends."""
    rows = [
        {"n": n, "account_id": receipt.account_id, "provider_id": receipt.provider_id, "id": receipt.message_id}
        for n, receipt in enumerate(receipts)
    ]
    cursor.execute(_FIND, [orjson.dumps(rows).decode()])
    found = dict(cursor.fetchall())
    # Locked like everywhere: first the conversations, in their order. Only then is a status read that holds.
    cursor.execute("SELECT DISTINCT conversation_id FROM message WHERE id = ANY(%s)", [list(set(found.values()))])
    order.lock(cursor, [conversation for (conversation,) in cursor.fetchall()])
    cursor.execute(_STORIES, [list(set(found.values()))])
    stories = {story.id: story for story in map(_story, cursor.fetchall())}
    matched = [(stories[found[n]], receipt) for n, receipt in enumerate(receipts) if n in found]
    return matched, [receipt for n, receipt in enumerate(receipts) if n not in found]


def _story(row: Sequence[Any]) -> _Story:
    message, organization, account, conversation, status, *rest = row
    return _Story(message, organization, account, conversation, Status(status), *rest)


# By our own id where the provider echoes it, if the message is of that account; else by the provider's.
_FIND = """
SELECT receipt.n, coalesce(named.id, known.id)
  FROM json_to_recordset(%s::json) AS receipt (n int, account_id uuid, provider_id text, id uuid)
  LEFT JOIN message AS named ON named.id = receipt.id AND named.account_id = receipt.account_id
  LEFT JOIN LATERAL (SELECT id
                       FROM message
                      WHERE account_id = receipt.account_id AND provider_id = receipt.provider_id
                        AND named.id IS NULL
                      ORDER BY id DESC
                      LIMIT 1) AS known ON true
 WHERE coalesce(named.id, known.id) IS NOT NULL
"""

_STORIES = """
SELECT message.id, message.organization_id, message.account_id, message.conversation_id, message.status,
       message.provider_id, message.trace, account.connector, account.rate_per_second, sent.at
  FROM message
  JOIN channel_account AS account ON account.id = message.account_id
  LEFT JOIN LATERAL (SELECT at
                       FROM message_event
                      WHERE message_event.message_id = message.id AND kind = 'sent'
                      ORDER BY message_event.id DESC
                      LIMIT 1) AS sent ON true
 WHERE message.id = ANY(%s)
 ORDER BY message.id
   FOR NO KEY UPDATE OF message
"""


def _write(cursor: CursorWrapper, moved: Sequence[_Story]) -> None:
    messages: list[dict[str, Any]] = []
    events: list[dict[str, Any]] = []
    for story in moved:
        last = story.news[-1]
        messages.append(
            {
                "id": story.id,
                "status": story.status,
                "provider_id": story.provider_id,
                "error_class": last.error_class,
                "error_code": last.error_code,
                "error_detail": last.error_detail,
            }
        )
        events += [
            {
                "organization_id": story.organization_id,
                "message_id": story.id,
                "conversation_id": story.conversation_id,
                "kind": receipt.status,
                "at": receipt.at,
                "detail": _detail(receipt),
                "trace": story.trace,
            }
            for receipt in story.news
        ]
    cursor.execute(_APPLY, {"messages": orjson.dumps(messages).decode(), "events": orjson.dumps(events).decode()})
    order.promote(cursor, cursor.fetchall())


def _detail(receipt: KnownReceipt) -> dict[str, str]:
    if not receipt.error_class:
        return {}
    return {"error": receipt.error_class, "code": receipt.error_code, "detail": receipt.error_detail}


# A delivery that is at the provider under a valid lease is left to whoever holds it; any other is settled.
_APPLY = """
WITH news AS MATERIALIZED (
    SELECT *
      FROM json_to_recordset(%(messages)s::json) AS news (
           id uuid, status text, provider_id text, error_class text, error_code text, error_detail text)
), moved AS (
    UPDATE message
       SET status = news.status, provider_id = news.provider_id, error_class = news.error_class,
           error_code = news.error_code, error_detail = news.error_detail
      FROM news
     WHERE message.id = news.id
    RETURNING message.id, message.organization_id, message.account_id, message.status, message.error_class,
              message.error_code, message.error_detail, message.forwarded_from_id,
              message.has_fallback AND message.error_class <> 'outcome_unknown' AS has_fallback
), buried AS (
    INSERT INTO dead_letter AS dead (id, organization_id, account_id, message_id, state, error_class, error_code,
                                     error_detail, attempts, replays, discard_reason, created_at, changed_at)
    SELECT id, organization_id, account_id, id, 'open', error_class, error_code, error_detail, 1, 0, '',
           now(), now()
      FROM moved
     WHERE status = 'failed' AND NOT has_fallback
    ON CONFLICT (message_id) DO UPDATE
       SET state = 'open', error_class = EXCLUDED.error_class, error_code = EXCLUDED.error_code,
           error_detail = EXCLUDED.error_detail, attempts = dead.attempts + 1, changed_at = now()
), falling_back AS (
    UPDATE message_fallback SET due_at = now()
     WHERE message_id = ANY(ARRAY(SELECT id FROM moved WHERE has_fallback AND status = 'failed'))
), arrived AS (
    DELETE FROM message_fallback
     WHERE message_id = ANY(ARRAY(SELECT id FROM moved WHERE has_fallback AND status IN ('delivered', 'read')))
), resolved AS (
    UPDATE dead_letter
       SET state = 'resolved', changed_at = now()
      FROM moved
     WHERE dead_letter.message_id = moved.id AND moved.status <> 'failed' AND dead_letter.state <> 'resolved'
), noted AS (
    INSERT INTO message_event (organization_id, message_id, conversation_id, kind, at, attempt, detail, trace)
    SELECT organization_id, message_id, conversation_id, kind, at, 0, detail, trace
      FROM json_to_recordset(%(events)s::json) AS event (
           organization_id uuid, message_id uuid, conversation_id uuid, kind text, at timestamptz, detail jsonb,
           trace text)
     UNION ALL
    -- What a route made of another message is told there too.
    SELECT origin.organization_id, origin.id, origin.conversation_id, 'forwarded', now(), 0,
           jsonb_build_object('status', moved.status, 'message_id', moved.id, 'account_id', moved.account_id),
           origin.trace
      FROM moved JOIN LATERAL (SELECT * FROM message WHERE id = moved.forwarded_from_id LIMIT 1) AS origin ON true
), settled AS (
    DELETE FROM delivery
     USING news
     WHERE delivery.message_id = news.id AND (delivery.state <> 'sending' OR delivery.due_at < now())
    RETURNING delivery.conversation_id, delivery.position, delivery.is_head
)
SELECT conversation_id, position FROM settled WHERE is_head
"""
