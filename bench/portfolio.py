"""A portfolio of invoices with a policy over it, filled by SQL. Needs Django."""

from datetime import time, timedelta
from typing import Any

from django.db import connection, transaction

from apps.accounts.principal import Principal
from apps.billing import policies
from apps.billing.models import Anchor, ReminderPolicy
from apps.billing.policies import WantedRule
from apps.core import clock
from apps.messaging.models import Template, TemplateText
from apps.messaging.wording import versions
from apps.messaging.wording.variables import Variable, VariableType
from bench.office import Office

TEMPLATE = "bill"
# Each customer has so many.
INVOICES_EACH = 5
_ALL_DAY = ["00:00", "24:00"]
AT_ANY_HOUR = [{"channel": "*", "state": "*", "weekdays": _ALL_DAY, "saturday": _ALL_DAY, "sunday": _ALL_DAY}]
FIVE_RULES = (
    {"offset": -10},
    {"offset": -3},
    {"offset": 0},
    {"offset": 5, "anchor": Anchor.OVERDUE},
    {"offset": 10, "anchor": Anchor.OVERDUE, "repeat_every": 7, "repeat_until": 60},
)


def clear(office: Office) -> None:
    office.clear()
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE reminder_policy, template CASCADE")


def fill(office: Office, count: int, *, days: int) -> None:
    """Unpaid, due within so many days before and after today; no plan of any was looked at yet."""
    office.meet(max(1, count // INVOICES_EACH))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(_FILL, {"organization": office.organization.id, "count": count, "days": days})
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute("VACUUM ANALYZE invoice, reminder_plan, contact, contact_address, conversation")
        cursor.execute("RESET statement_timeout")


def live_policy(office: Office, *rules: dict[str, Any], **values: Any) -> ReminderPolicy:
    """As if it had been put live yesterday."""
    principal = Principal.of_system(office.organization)
    if not Template.objects.for_organization(office.organization).filter(name=TEMPLATE).exists():
        text = TemplateText(
            language="pt-BR", body="Olá! A fatura {{ number }}, de {{ amount_due }}, vence {{ due_date }}."
        )
        variables = (
            Variable("number", VariableType.TEXT, "1001"),
            Variable("amount_due", VariableType.MONEY, "149.90 BRL"),
            Variable("due_date", VariableType.DATE, "2026-03-01"),
        )
        draft = versions.create(principal, name=TEMPLATE, variables=variables, texts=(text,), category="billing")
        versions.publish(principal, draft)
    wanted = [WantedRule({"anchor": Anchor.DUE, "template": TEMPLATE} | rule) for rule in rules]
    given = {"accounts": [office.account.id], "quiet_hours": AT_ANY_HOUR, "days_off": "none", "send_at": time()}
    policy = policies.add(principal, wanted, name="Everybody", **{**given, "most_a_week": 7, **values})
    policies.go_live(principal, policy)
    rows = ReminderPolicy.objects.for_organization(office.organization)
    rows.update(live_since=clock.now() - timedelta(days=1))
    return rows.get()


_FILL = f"""
WITH customer AS MATERIALIZED (
    SELECT id, row_number() OVER (ORDER BY id) - 1 AS n FROM contact WHERE organization_id = %(organization)s
), new AS MATERIALIZED (
    SELECT uuidv7() AS id, bill.n, customer.id AS contact_id
      FROM generate_series(0, %(count)s - 1) AS bill (n) JOIN customer ON customer.n = bill.n / {INVOICES_EACH}
), written AS (
    INSERT INTO invoice (id, organization_id, number, contact_id, amount, paid_amount, currency, due_on, status,
                         payment_url, pix_code, boleto_line, tags, metadata, created_at, changed_at)
    SELECT id, %(organization)s, n::text, contact_id, 1000 + n %% 100000, 0, 'BRL',
           current_date + (n::bigint * 7919 %% (2 * %(days)s + 1) - %(days)s)::int, 'open', '', '', '',
           '{{}}', '{{}}',
           now() - interval '90 days', now() - interval '90 days'
      FROM new
)
INSERT INTO reminder_plan (invoice_id, organization_id, contact_id)
SELECT id, %(organization)s, contact_id FROM new
"""  # noqa: S608 - of constants
