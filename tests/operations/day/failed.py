"""Many messages that failed, as the engine would have left them; but written in one statement."""

from django.db import connection

from apps.channels.models import ChannelAccount

_FAILED = """
WITH failed AS MATERIALIZED (
    SELECT uuidv7() AS id, uuidv7() AS contact_id, uuidv7() AS address_id, uuidv7() AS conversation_id,
           %(prefix)s || to_char(n, 'FM000000') AS address
      FROM generate_series(1, %(count)s) AS n
), met AS (
    INSERT INTO contact (id, organization_id, name, created_at)
    SELECT contact_id, %(organization)s, '', now() FROM failed
), reached AS (
    INSERT INTO contact_address (id, organization_id, contact_id, kind, value)
    SELECT address_id, %(organization)s, contact_id, 'phone', address FROM failed
), talked AS (
    INSERT INTO conversation (id, organization_id, account_id, contact_id, address, created_at)
    SELECT conversation_id, %(organization)s, %(account)s, contact_id, address, now() FROM failed
), written AS (
    INSERT INTO message (id, organization_id, account_id, conversation_id, status, text, priority, reference,
                         metadata, expires_at, error_class, error_code, error_detail, created_at)
    SELECT id, %(organization)s, %(account)s, conversation_id, 'failed', 'Seu pedido saiu.', 1, '',
           '{}', now() + interval '7 days', 'message_rejected', %(code)s, %(detail)s, now()
      FROM failed
), told AS (
    INSERT INTO message_event (organization_id, message_id, conversation_id, kind, at, attempt, detail)
    SELECT %(organization)s, id, conversation_id, kind, now(), attempt,
           CASE WHEN kind = 'failed' THEN jsonb_build_object('error', 'message_rejected', 'code', %(code)s::text,
                                                             'detail', %(detail)s::text)
                ELSE '{}' END
      FROM failed, (VALUES (1, 'queued', 0), (2, 'failed', 1)) AS event (n, kind, attempt)
     ORDER BY id, event.n
)
INSERT INTO dead_letter (id, organization_id, account_id, message_id, state, error_class, error_code,
                         error_detail, attempts, replays, discard_reason, created_at, changed_at)
SELECT id, %(organization)s, %(account)s, id, 'open', 'message_rejected', %(code)s, %(detail)s, 1, 0, '',
       now(), now()
  FROM failed
"""


def add_dead_letters(account: ChannelAccount, count: int, *, code: str, detail: str, prefix: str) -> None:
    """`prefix` is how the numbers of these people begin; six digits follow."""
    with connection.cursor() as cursor:
        cursor.execute(
            _FAILED,
            {
                "count": count,
                "organization": account.organization_id,
                "account": account.pk,
                "code": code,
                "detail": detail,
                "prefix": prefix,
            },
        )
