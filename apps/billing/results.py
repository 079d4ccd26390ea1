"""What a policy brought about: how many people were reminded, what became of it, and how many paid soon after."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection

from apps.billing.chains import MOST_STEPS
from apps.billing.models import ReminderPolicy
from apps.core import clock
from apps.messaging.engine.guard import HOME

DAYS = 30
MOST_DAYS = 90


@dataclass(frozen=True, slots=True)
class Day:
    """Of the messages of one day, by the best that became of any of their ways."""

    day: date
    touches: int = 0
    # Whatever was delivered was sent, whatever was read was delivered.
    sent: int = 0
    delivered: int = 0
    read: int = 0
    failed: int = 0
    # Taken back before they left: paid meanwhile, mostly.
    stopped: int = 0
    # Invoices that were paid after a reminder of this day, and before the next one.
    paid: int = 0


@dataclass(frozen=True, slots=True)
class Results:
    # Each of the period, also without anything.
    days: list[Day]
    # In cents, by currency.
    paid_amounts: dict[str, int]

    def total(self, name: str) -> int:
        return sum(getattr(day, name) for day in self.days)


def of_policy(policy: ReminderPolicy, days: int = DAYS) -> Results:
    """Of the last days, today included, by São Paulo's calendar."""
    today = clock.now().astimezone(HOME).date()
    first = today - timedelta(days=days - 1)
    given: dict[str, Any] = {
        "policy": policy.id,
        "since": datetime.combine(first, datetime.min.time(), HOME),
        "result_days": policy.result_days,
        "zone": HOME.key,
        "most": MOST_STEPS,
    }
    with connection.cursor() as cursor:
        cursor.execute(_SENT, given)
        sent = {day: Day(day, *counts) for day, *counts in cursor.fetchall()}
        cursor.execute(_PAID, given)
        payments = cursor.fetchall()
    paid: dict[date, int] = {}
    amounts: dict[str, int] = {}
    for day, currency, count, amount in payments:
        paid[day] = paid.get(day, 0) + count
        amounts[currency] = amounts.get(currency, 0) + int(amount)
    every_day = [first + timedelta(days=n) for n in range(days)]
    return Results([replace(sent.get(day, Day(day)), paid=paid.get(day, 0)) for day in every_day], amounts)


_SENT = """
WITH RECURSIVE touch AS MATERIALIZED (
    SELECT id, message_id, created_at FROM reminder_touch
     WHERE policy_id = %(policy)s AND created_at >= %(since)s
), chain AS (
    SELECT touch.id AS touch_id, message.id, message.status, 1 AS step
      FROM touch JOIN message ON message.id = touch.message_id
    UNION ALL
    SELECT chain.touch_id, next.id, next.status, chain.step + 1
      FROM chain JOIN message AS next ON next.fallback_of_id = chain.id
     WHERE chain.step < %(most)s
), outcome AS (
    SELECT touch_id,
           bool_or(status IN ('sent', 'delivered', 'read')) AS is_sent,
           bool_or(status IN ('delivered', 'read')) AS is_delivered,
           bool_or(status = 'read') AS is_read,
           (array_agg(status ORDER BY step DESC))[1] AS last
      FROM chain GROUP BY touch_id
)
SELECT (touch.created_at AT TIME ZONE %(zone)s)::date AS day, count(*),
       count(*) FILTER (WHERE is_sent),
       count(*) FILTER (WHERE is_delivered),
       count(*) FILTER (WHERE is_read),
       count(*) FILTER (WHERE NOT is_sent AND last IN ('failed', 'expired')),
       count(*) FILTER (WHERE NOT is_sent AND last = 'cancelled')
  FROM touch LEFT JOIN outcome ON outcome.touch_id = touch.id
 GROUP BY day
"""

# An invoice counts once, for the last reminder before it was paid; thanks come after it.
_PAID = """
WITH touch AS MATERIALIZED (
    SELECT id, created_at FROM reminder_touch
     WHERE policy_id = %(policy)s AND created_at >= %(since)s
), paid AS (
    SELECT DISTINCT ON (invoice.id) touch.created_at, invoice.currency, invoice.paid_amount
      FROM touch
      JOIN reminder ON reminder.touch_id = touch.id AND reminder.state = 'told'
      JOIN invoice ON invoice.id = reminder.invoice_id
     WHERE invoice.paid_at >= touch.created_at
       AND invoice.paid_at < touch.created_at + make_interval(days => %(result_days)s)
     ORDER BY invoice.id, touch.created_at DESC
)
SELECT (created_at AT TIME ZONE %(zone)s)::date AS day, currency, count(*), sum(paid_amount)
  FROM paid GROUP BY day, currency
"""
