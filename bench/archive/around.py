"""What lies around the messages, in less numbers."""

from psycopg.types.json import Jsonb

from apps.operations.traffic.count import COUNTED
from apps.operations.traffic.latency import BUCKETS
from bench.archive.sql import Sizes, run, when

TABLES = (
    *("audit_event", "webhook_delivery", "invoice", "reminder_policy", "reminder_touch", "registration_flow"),
    *("registration", "file", "upload", "dead_letter_clearing", "traffic"),
)

DEFINITION = {
    "languages": ["pt-BR"],
    "questions": [{"kind": "name"}],
    "texts": {"pt-BR": {"consent": "Guardamos os seus dados só para o cadastro."}},
}


def fill(sizes: Sizes) -> None:
    run(_TRAIL, sizes)
    run(_WEBHOOKS, sizes)
    run(_BILLS, sizes)
    run(_REGISTRATIONS, sizes, definition=Jsonb(DEFINITION))
    run(_FILES, sizes)
    run(_TRAFFIC, sizes)


# Rows of these tables go to organizations as messages do: three of five to the first.
_WHOSE = "CASE WHEN n %% 5 < 3 THEN 1 ELSE 2 + n / 5 %% (%(organizations)s - 1) END"

_TRAIL = f"""
INSERT INTO audit_event (id, at, actor_kind, actor_label, action, target_kind, target_id, target_label, changes,
                         request_id, organization_id)
SELECT made.id, uuid_extract_timestamp(made.id),
       CASE WHEN made.n %% 5000 = 0 THEN 'system' WHEN made.n %% 3 = 0 THEN 'api_key' ELSE 'user' END,
       'Somebody ' || made.n %% 50, 'template.changed', 'template', made.id, 'template-' || made.n %% 5,
       '{{"description": ["", "new"]}}', 'request-' || made.n, organization.id
  FROM (SELECT n, {when("n", "%(events)s")} AS id, {_WHOSE} AS organization
          FROM generate_series(1, %(events)s) AS n) AS made
  JOIN seeded_organization AS organization ON organization.n = made.organization
 ORDER BY made.id;
"""  # noqa: S608 - of constants

_WEBHOOKS = f"""
INSERT INTO webhook_delivery (id, event_id, type, payload, state, attempts, due_at, last_status, last_response,
                              last_error, milliseconds, created_at, finished_at, organization_id, endpoint_id)
SELECT made.id, 'event-' || made.n, 'message.delivered', '{{"type": "message.delivered"}}',
       CASE WHEN made.n %% 2000 = 7 THEN 'failed' WHEN made.n > %(deliveries)s - 100 THEN 'waiting'
            ELSE 'delivered' END,
       1, now(), 200, '', '', 12, uuid_extract_timestamp(made.id), uuid_extract_timestamp(made.id),
       endpoint.organization_id, endpoint.id
  FROM (SELECT n, {when("n", "%(deliveries)s")} AS id, {_WHOSE} AS organization
          FROM generate_series(1, %(deliveries)s) AS n) AS made
  JOIN seeded_organization AS organization ON organization.n = made.organization
  JOIN (SELECT id, organization_id, row_number() OVER (PARTITION BY organization_id ORDER BY id) AS place
          FROM webhook_endpoint) AS endpoint
    ON endpoint.organization_id = organization.id
   AND endpoint.place = CASE WHEN made.n %% 500 = 1 THEN 2 ELSE 1 END
 ORDER BY made.id;
"""  # noqa: S608 - of constants

_BILLS = f"""
CREATE TEMPORARY TABLE seeded_invoice AS
SELECT made.n, made.id, person.organization_id, person.contact_id
  FROM (SELECT n, {when("n", "%(invoices)s")} AS id FROM generate_series(1, %(invoices)s) AS n) AS made
  JOIN seeded_person AS person ON person.n = made.n * 7919::bigint %% %(people)s
 ORDER BY made.id;
INSERT INTO invoice (id, organization_id, number, contact_id, amount, paid_amount, currency, due_on, status,
                     payment_url, pix_code, boleto_line, tags, metadata, paid_at, created_at, changed_at)
SELECT id, organization_id, n::text, contact_id, 1000 + n %% 100000,
       CASE WHEN is_paid THEN 1000 + n %% 100000 ELSE 0 END, 'BRL',
       (uuid_extract_timestamp(id) + interval '10 days')::date,
       CASE WHEN is_paid THEN 'paid' WHEN n %% 1000 = 1 THEN 'disputed' WHEN n %% 500 = 2 THEN 'cancelled'
            ELSE 'open' END,
       '', '', '', '{{}}', '{{}}', CASE WHEN is_paid THEN now() END, uuid_extract_timestamp(id), now()
  FROM (SELECT *, n %% 10 < 8 AND n %% 1000 <> 1 AND n %% 500 <> 2 AS is_paid FROM seeded_invoice) AS invoice
 ORDER BY id;
WITH policy AS (
    INSERT INTO reminder_policy (id, name, position, accounts, send_at, days_off, quiet_hours, most_a_day,
                                 most_a_week, joins_invoices, late, tags, except_tags, customers, result_days,
                                 created_at,
                                 organization_id)
    SELECT uuidv7(), 'Everybody', 1, '{{}}', '09:00', 'none', '[]', 1, 3, true, 'merge', '{{}}', '{{}}',
           '{{}}', 7, now(), id
      FROM seeded_organization
    RETURNING id, organization_id
)
INSERT INTO reminder_rule (id, anchor, "offset", unit, template, channel_templates, organization_id, policy_id)
SELECT uuidv7(), 'due', 0, 'days', 'template-1', '{{}}', organization_id, id FROM policy;
INSERT INTO reminder_touch (id, message_id, created_at, contact_id, organization_id, policy_id)
SELECT invoice.id, message.id, now(), invoice.contact_id, invoice.organization_id, rule.policy_id
  FROM seeded_invoice AS invoice
  JOIN reminder_rule AS rule USING (organization_id)
  JOIN LATERAL (SELECT message.id FROM conversation JOIN message ON message.conversation_id = conversation.id
                 WHERE conversation.contact_id = invoice.contact_id LIMIT 1) AS message ON true
 WHERE invoice.n %% 5 = 0;
INSERT INTO reminder (id, occurrence, planned_for, due_on, amount_due, state, reason, created_at, invoice_id,
                      organization_id, rule_id, touch_id)
SELECT invoice.id, now(), now(), current_date, 1000, CASE WHEN touch.id IS NULL THEN 'skipped' ELSE 'told' END,
       CASE WHEN touch.id IS NULL THEN 'late' ELSE '' END, now(), invoice.id, invoice.organization_id, rule.id,
       touch.id
  FROM seeded_invoice AS invoice
  JOIN reminder_rule AS rule USING (organization_id)
  LEFT JOIN reminder_touch AS touch ON touch.id = invoice.id
 ORDER BY invoice.id;
"""  # noqa: S608 - of constants

_REGISTRATIONS = f"""
INSERT INTO registration_flow (id, name, position, is_live, accounts, keywords, starts_by_intent, remind_after,
                               close_after, told_at, created_at, organization_id)
SELECT uuidv7(), 'Flow ' || place, place, false, '{{}}', '{{}}', false, 60, 120, '', now(), id
  FROM seeded_organization, generate_series(1, 2) AS place;
INSERT INTO registration_flow_version (id, number, definition, published_at, organization_id, flow_id)
SELECT uuidv7(), 1, %(definition)s, now(), organization_id, id FROM registration_flow;
INSERT INTO registration (id, language, state, step, is_update, started_by, opening, confirmed, turns, started_at,
                          changed_at, ended_at, contact_id, conversation_id, organization_id, version_id, flow_id)
SELECT made.id, 'pt-br', CASE WHEN made.n %% 3000 = 1 THEN 'declined' WHEN made.n %% 5 = 0 THEN 'silent'
                              ELSE 'completed' END,
       '', false, 'keyword', '', '', 5, uuid_extract_timestamp(made.id), uuid_extract_timestamp(made.id),
       uuid_extract_timestamp(made.id), person.contact_id, person.conversation_id, person.organization_id,
       version.id, version.flow_id
  FROM (SELECT n, {when("n", "%(registrations)s")} AS id FROM generate_series(1, %(registrations)s) AS n) AS made
  JOIN seeded_person AS person ON person.n = made.n * 7919::bigint %% %(people)s
  JOIN (SELECT version.*, position FROM registration_flow_version AS version
          JOIN registration_flow AS flow ON flow.id = version.flow_id) AS version
    ON version.organization_id = person.organization_id
   AND version.position = CASE WHEN made.n %% 2000 = 3 THEN 2 ELSE 1 END
 ORDER BY made.id;
"""  # noqa: S608 - of constants

_FILES = f"""
CREATE TEMPORARY TABLE seeded_file AS
SELECT made.n, made.id, organization.id AS organization_id
  FROM (SELECT n, {when("n", "%(files)s")} AS id, {_WHOSE} AS organization
          FROM generate_series(1, %(files)s) AS n) AS made
  JOIN seeded_organization AS organization ON organization.n = made.organization
 ORDER BY made.id;
INSERT INTO upload (id, way, state, name, size, received, part_size, store_upload, sha256, parts_sha256,
                    error_code, error_detail, created_at, changed_at, leaves_bytes, organization_id)
SELECT id, CASE WHEN n %% 1000 = 1 THEN 'fetched' WHEN n %% 2 = 0 THEN 'direct' ELSE 'streamed' END,
       CASE WHEN n %% 2000 = 3 THEN 'refused' ELSE 'ready' END, 'invoice-' || n || '.pdf', 1000, 1000, 0, '',
       repeat('0', 64), '', '', '', uuid_extract_timestamp(id), now(), false, organization_id
  FROM seeded_file ORDER BY id;
INSERT INTO file (id, name, size, sha256, media_type, is_used, thumbnail, created_at, organization_id)
SELECT id, 'invoice-' || n || '.pdf', 1000, repeat('0', 64), 'application/pdf', n %% 1000 <> 5, 'none',
       uuid_extract_timestamp(id), organization_id
  FROM seeded_file WHERE n %% 2000 <> 3 ORDER BY id;
INSERT INTO dead_letter_clearing (id, action, state, reason, per_second, matched, done, worked_at, started_by,
                                  created_at, ended_at, organization_id)
SELECT uuidv7(), 'replay', 'finished', '', 100, 10, 10, now(), 'Somebody', now(), now(), organization.id
  FROM seeded_organization AS organization, generate_series(1, 20);
"""  # noqa: S608 - of constants

# Minutes of two days, hours of eight, days of ninety.
_TRAFFIC = f"""
INSERT INTO traffic (id, organization_id, account_id, span, starts_at, {", ".join(COUNTED)}, latency)
SELECT uuidv7(), organization_id, id, span, date_trunc(span, now() - ago * step, 'UTC'),
       {", ".join(str(10 * n) for n in range(len(COUNTED), 0, -1))}, array_fill(7, ARRAY[{len(BUCKETS) + 1}])
  FROM seeded_account,
       (VALUES ('minute', interval '1 minute', 2880), ('hour', interval '1 hour', 192),
               ('day', interval '1 day', 90)) AS spans (span, step, count),
       generate_series(0, count - 1) AS ago;
VACUUM traffic, invoice, reminder, webhook_delivery, audit_event, registration, file, upload
"""  # noqa: S608 - of constants
