"""The messages, in the order of time, and what each left: a delivery, a dead letter, events."""

from typing import Any

from django.db import connection, transaction

from bench.archive.sql import Sizes, run, when

CODES = (
    *(("transient", code) for code in ("500", "502", "503", "timeout")),
    *(("rate_limited", code) for code in ("429", "80007")),
    *(("recipient_rejected", code) for code in ("131026", "131047", "470")),
    *(("message_rejected", code) for code in ("132000", "132001")),
)
# Seldom met, and not for a long time.
RARE_CODE = ("account_rejected", "131031")
RARE_TEXT = "Invoice"


def fill(sizes: Sizes) -> None:
    """Rows first and indexes after them, but for those of the newest, which PostgreSQL has not tidied up yet."""
    last = sizes.messages - sizes.values["newest"]
    with transaction.atomic():
        indexes = _drop_indexes()
        _write(sizes, 1, last)
        for definition in indexes:
            run(definition, sizes)
    run("VACUUM ANALYZE message", sizes)
    _write(sizes, last + 1, sizes.messages)
    run(_LEFT, sizes)


def _write(sizes: Sizes, first: int, last: int) -> None:
    classes, codes = zip(*CODES, RARE_CODE, strict=True)
    values: dict[str, Any] = {"first": first, "last": last, "classes": list(classes), "codes": list(codes)}
    run(_WRITE, sizes, **values, rare_text=RARE_TEXT)


def _drop_indexes() -> list[str]:
    """Their definitions, to make them again."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT indexname, indexdef FROM pg_indexes
             WHERE tablename = 'message' AND indexname <> 'message_pkey' ORDER BY indexname
            """
        )
        found = cursor.fetchall()
        for name, _definition in found:
            cursor.execute(f'DROP INDEX "{name}"')
    return [definition for _name, definition in found]


# `lot` decides of a thousand what becomes of a message; `luck` of the rest.
_WRITE = f"""
INSERT INTO message (id, status, direction, text, template_id, priority, reference, metadata, expires_at,
                     provider_id, error_class, error_code, error_detail, created_at, account_id, conversation_id,
                     organization_id)
SELECT made.id, made.status, CASE WHEN made.lot < 100 THEN 'inbound' ELSE 'outbound' END,
       CASE WHEN made.luck < 3 THEN %(rare_text)s || ' ' || made.n || ' is due.'
            ELSE 'Your order ' || made.n || ' is on its way and will be with you today between two and four.' END,
       template.id, 1, CASE WHEN made.n %% 3 = 0 THEN 'order-' || made.n ELSE '' END, '{{}}',
       uuid_extract_timestamp(made.id) + interval '7 days',
       CASE WHEN made.status IN ('sent', 'delivered', 'read', 'received')
            THEN CASE WHEN made.lot BETWEEN 100 AND 109 THEN 'again.' ELSE 'wamid.' END || made.n END,
       CASE WHEN made.status = 'failed' THEN (%(classes)s::text[])[made.code] ELSE '' END,
       CASE WHEN made.status = 'failed' THEN (%(codes)s::text[])[made.code] ELSE '' END,
       CASE WHEN made.status = 'failed' THEN 'The provider did not take it.' ELSE '' END,
       uuid_extract_timestamp(made.id), person.account_id, person.conversation_id, person.organization_id
  FROM (SELECT n, lot, luck, {when("n", "%(messages)s")} AS id,
               CASE WHEN n %% 100 = 0 THEN 0
                    WHEN n < %(messages)s / 100 AND n %% 10 = 1 THEN %(people)s - 1 - n / 10 %% 50
                    ELSE n * 7919 %% (%(people)s - 50) END AS person,
               CASE WHEN luck < 20 AND n < %(messages)s / 3 THEN 12 ELSE 1 + luck %% 11 END AS code,
               CASE WHEN lot < 100 THEN 'received'
                    WHEN lot < 110 AND luck %% 10 = 9 THEN 'delivered'
                    WHEN lot < 110 THEN 'failed'
                    WHEN n > %(messages)s - %(queued)s THEN 'queued'
                    WHEN lot = 110 THEN CASE WHEN luck %% 2 = 0 THEN 'cancelled' ELSE 'expired' END
                    WHEN lot < 400 THEN 'sent'
                    WHEN lot < 700 THEN 'delivered'
                    ELSE 'read' END AS status
          FROM (SELECT n, n * 2654435761 %% 1000 AS lot, (n * 40503 + 12345) %% 9973 AS luck
                  FROM generate_series(%(first)s::bigint, %(last)s) AS n) AS numbered) AS made
  JOIN seeded_person AS person ON person.n = made.person
  LEFT JOIN seeded_template AS template
    ON template.organization = person.organization AND made.luck %% 50 = 0 AND made.lot >= 100
   AND template.n = CASE WHEN made.n < %(messages)s / 10 THEN 5 ELSE 1 + made.n %% 4 END
"""  # noqa: S608 - of constants

_LEFT = """
INSERT INTO delivery (message_id, organization_id, account_id, conversation_id, is_head, state, priority, due_at,
                      expires_at, attempt)
SELECT id, organization_id, account_id, conversation_id,
       row_number() OVER (PARTITION BY conversation_id ORDER BY id) = 1,
       CASE WHEN row_number() OVER (ORDER BY id) %% 4 = 0 THEN 'scheduled' ELSE 'waiting' END,
       1, created_at, expires_at, 0
  FROM (SELECT * FROM message ORDER BY id DESC LIMIT %(newest)s) AS newest
 WHERE status = 'queued';

INSERT INTO dead_letter (id, message_id, state, error_class, error_code, error_detail, attempts, replays,
                         discard_reason, created_at, changed_at, account_id, organization_id)
SELECT id, id, CASE WHEN status = 'delivered' THEN 'resolved' WHEN nth %% 3 = 0 THEN 'discarded' ELSE 'open' END,
       CASE WHEN status = 'delivered' THEN 'transient' ELSE error_class END,
       CASE WHEN status = 'delivered' THEN '503' ELSE error_code END, 'The provider did not take it.',
       5, CASE WHEN status = 'delivered' OR nth %% 10 = 0 THEN 1 ELSE 0 END, '', created_at, created_at,
       account_id, organization_id
  FROM (SELECT message.*, row_number() OVER (ORDER BY id) AS nth
          FROM message
         WHERE error_class <> '' OR provider_id LIKE 'again.%%') AS failed
 ORDER BY id;

INSERT INTO message_event (organization_id, message_id, conversation_id, kind, at, attempt, detail)
SELECT organization_id, newest.id, conversation_id, kind, created_at + make_interval(secs => place::int),
       place - 1, '{}'
  FROM (SELECT * FROM message ORDER BY id DESC LIMIT %(newest)s) AS newest,
       unnest(CASE status WHEN 'received' THEN ARRAY['received']
                          WHEN 'queued' THEN ARRAY['queued']
                          WHEN 'failed' THEN ARRAY['queued', 'sending', 'retrying', 'sending', 'failed']
                          ELSE ARRAY['queued', 'sending', 'sent', 'delivered'] END)
       WITH ORDINALITY AS happened (kind, place)
 ORDER BY newest.id, place;
UPDATE event_cursor SET transaction = pg_current_xact_id(), event_id = (SELECT max(id) FROM message_event);
VACUUM delivery, dead_letter, message_event
"""
