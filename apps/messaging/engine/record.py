"""Write outcomes down, if the lease is still ours.

Whoever comes too late changes nothing: the statement names the lease, and a delivery that was taken over has
another. A fixed number of statements, whatever the number of outcomes.
"""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

import orjson

from apps.core.prepared import Call, Rows, Statement, run_together
from apps.messaging.engine import order
from apps.messaging.engine.outcome import Outcome
from apps.messaging.engine.publish import UNPUBLISHED
from apps.messaging.statuses import Status, before


class Written(NamedTuple):
    # The others belong to somebody else now.
    number: int
    # The messages that ended with it, where that is not all that were to: a receipt was faster.
    moved: Sequence[UUID] | None


def record(outcomes: Sequence[Outcome]) -> Written:
    if not outcomes:
        return Written(0, None)
    ((written,), _) = run_together(*_calls(outcomes))
    return Written(*written)


def record_and_find_unpublished(outcomes: Sequence[Outcome]) -> tuple[Written, Rows]:
    """The same, and in the same breath what is to be published after it (publish.py)."""
    ((written,), found) = run_together(*_calls(outcomes), then=UNPUBLISHED)
    return Written(*written), found


def _calls(outcomes: Sequence[Outcome]) -> tuple[Call, Call]:
    rows = orjson.dumps([outcome.as_row() for outcome in outcomes]).decode()
    conversations = list({outcome.conversation_id for outcome in outcomes})
    return Call(order.LOCK, [conversations]), Call(_RECORD, [rows])


def _before(status: Status) -> str:
    return f"'{{{','.join(before(status))}}}'::text[]"


# `ended` and `kept` name the lease; everything else follows from what these two found. A status moves only from
# where it may, so that a receipt which came first is not undone; then no event is written either.
_RECORD_TEXT = f"""
WITH outcome AS MATERIALIZED (
    SELECT *
      FROM jsonb_to_recordset(%s::jsonb) AS outcome (
           message_id uuid, lease uuid, result text, seconds float8, provider_id text, error_class text,
           error_code text, error_detail text, detail jsonb)
), ended AS (
    DELETE FROM delivery
     USING outcome
     WHERE delivery.message_id = outcome.message_id AND delivery.lease = outcome.lease
       AND outcome.result IN ('sent', 'failed', 'expired', 'cancelled', 'settled')
    RETURNING delivery.message_id, delivery.organization_id, delivery.account_id, delivery.conversation_id,
              delivery.position, delivery.attempt, outcome.result, outcome.provider_id, outcome.error_class,
              outcome.error_code, outcome.error_detail, outcome.detail, delivery.trace
), kept AS (
    UPDATE delivery
       SET state = CASE outcome.result WHEN 'unknown' THEN 'unknown' WHEN 'postponed' THEN 'scheduled'
                                       ELSE 'waiting' END,
           is_head = delivery.is_head AND outcome.result <> 'postponed',
           lease = NULL,
           due_at = now() + make_interval(secs => outcome.seconds),
           attempt = delivery.attempt
                   - CASE WHEN outcome.result IN ('held', 'postponed', 'returned') THEN 1 ELSE 0 END
      FROM outcome
     WHERE delivery.message_id = outcome.message_id AND delivery.lease = outcome.lease
       AND outcome.result IN ('retrying', 'held', 'postponed', 'unknown', 'returned')
    RETURNING delivery.message_id, delivery.organization_id, delivery.conversation_id, delivery.position,
              delivery.attempt + CASE WHEN outcome.result IN ('held', 'postponed') THEN 1 ELSE 0 END AS attempt,
              outcome.result, outcome.detail, delivery.trace
), moved AS (
    UPDATE message
       SET status = ended.result,
           provider_id = coalesce(ended.provider_id, message.provider_id),
           error_class = ended.error_class, error_code = ended.error_code, error_detail = ended.error_detail
      FROM ended
     WHERE message.id = ended.message_id
       AND message.status = ANY(CASE ended.result WHEN 'sent' THEN {_before(Status.SENT)}
                                                  WHEN 'failed' THEN {_before(Status.FAILED)}
                                                  WHEN 'expired' THEN {_before(Status.EXPIRED)}
                                                  WHEN 'cancelled' THEN {_before(Status.CANCELLED)} END)
    RETURNING ended.*, message.forwarded_from_id,
              message.has_fallback AND ended.error_class <> 'outcome_unknown' AS has_fallback
), overtaken AS (
    UPDATE message
       SET provider_id = ended.provider_id
      FROM ended
     WHERE message.id = ended.message_id AND message.provider_id IS NULL AND ended.provider_id IS NOT NULL
       AND message.status <> ALL({_before(Status.SENT)})
), buried AS (
    INSERT INTO dead_letter AS dead (id, organization_id, account_id, message_id, state, error_class, error_code,
                                     error_detail, attempts, replays, discard_reason, created_at, changed_at)
    SELECT message_id, organization_id, account_id, message_id, 'open', error_class, error_code,
           error_detail, attempt, 0, '', now(), now()
      FROM moved
     WHERE result = 'failed' AND NOT has_fallback
    ON CONFLICT (message_id) DO UPDATE
       SET state = 'open', error_class = EXCLUDED.error_class, error_code = EXCLUDED.error_code,
           error_detail = EXCLUDED.error_detail, attempts = dead.attempts + EXCLUDED.attempts, changed_at = now()
), falling_back AS (
    UPDATE message_fallback SET due_at = now()
     WHERE message_id = ANY(ARRAY(SELECT message_id FROM moved WHERE has_fallback AND result = 'failed'))
), resolved AS (
    UPDATE dead_letter SET state = 'resolved', changed_at = now()
      FROM ended
     WHERE dead_letter.message_id = ended.message_id AND ended.result IN ('sent', 'settled')
), noted AS (
    INSERT INTO message_event (organization_id, message_id, conversation_id, kind, at, attempt, detail, trace)
    SELECT organization_id, message_id, conversation_id, result, now(), attempt, detail, trace
      FROM moved
     UNION ALL
    SELECT organization_id, message_id, conversation_id,
           CASE result WHEN 'postponed' THEN 'held' ELSE result END, now(), attempt, detail,
           trace
      FROM kept
     WHERE result <> 'returned'
     UNION ALL
    -- What a route made of another message is told there too.
    SELECT origin.organization_id, origin.id, origin.conversation_id, 'forwarded', now(), 0,
           jsonb_build_object('status', moved.result, 'message_id', moved.message_id,
                              'account_id', moved.account_id), origin.trace
      FROM moved JOIN LATERAL (SELECT * FROM message WHERE id = moved.forwarded_from_id LIMIT 1) AS origin ON true
), gone AS (
    SELECT conversation_id, position FROM ended
     UNION ALL
    -- It takes its place again when it is due.
    SELECT conversation_id, position FROM kept WHERE result = 'postponed'
), promoted AS ({order.promoting("gone AS ended")})
SELECT (SELECT count(*) FROM ended) + (SELECT count(*) FROM kept),
       CASE WHEN (SELECT count(*) FROM moved)
               < (SELECT count(*) FROM outcome WHERE result IN ('sent', 'failed', 'expired', 'cancelled'))
            THEN ARRAY(SELECT message_id FROM moved) END
"""  # noqa: S608 - of constants

_RECORD = Statement("record_outcomes", ["jsonb"], _RECORD_TEXT)
