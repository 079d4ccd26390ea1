"""The planner: takes invoices whose moment has come, a batch at a time, and hands over what is due.

All that is due for a customer is in one batch, for it goes in one message and counts for one limit. There is one
planner at work at a time. A batch is one transaction: whoever dies in it has done nothing, and the table of
reminders has room for each occasion once.
"""

import time

import structlog
from django.db import connection, transaction

from apps.billing.models import Invoice, Reminder
from apps.billing.planner import anew, batch, hand_over
from apps.billing.planner.gather import Work, consider, within_limits
from apps.core import clock

logger = structlog.get_logger(__name__)

AT_ONCE = 1_000
# A customer with more that is due at once is looked at again.
MOST_OF_THEM = 5_000
# For this long a run goes on before it lets the next one begin.
RUN_SECONDS = 50.0
_LOCK = 0x5265636164  # nobody else's advisory lock


def run(seconds: float = RUN_SECONDS) -> int:
    """How many invoices were looked at."""
    ends = time.monotonic() + seconds
    looked_at = 0
    while time.monotonic() < ends:
        found = plan_batch() or anew.set_some()
        if not found:
            break
        looked_at += found
    if looked_at:
        logger.info("invoices_planned", looked_at=looked_at)
    return looked_at


@transaction.atomic
def plan_batch() -> int:
    """0 where nothing is due, or another planner is at work."""
    now = clock.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        if not cursor.fetchone()[0]:
            return 0
        cursor.execute(_DUE, {"now": now, "most": AT_ONCE, "most_of_them": MOST_OF_THEM})
        ids = [invoice_id for (invoice_id,) in cursor.fetchall()]
    if not ids:
        return 0
    invoices = list(Invoice.across_organizations.filter(pk__in=ids))
    all_of_them = batch.read(invoices, now)
    work = Work()
    for invoice in all_of_them.invoices:
        consider(all_of_them, invoice, work, now)
    touches = within_limits(all_of_them, work, now)
    work.skipped += hand_over.hand_over(all_of_them, touches, work.looks, now)
    Reminder.across_organizations.bulk_create(work.skipped)
    batch.set_looks(work.looks)
    return len(ids)


_DUE = """
WITH due AS MATERIALIZED (
    SELECT contact_id FROM reminder_plan WHERE look_at <= %(now)s ORDER BY look_at, contact_id LIMIT %(most)s
)
SELECT plan.invoice_id
  FROM (SELECT DISTINCT contact_id FROM due) AS customer,
       LATERAL (SELECT invoice_id FROM reminder_plan
                 WHERE contact_id = customer.contact_id AND look_at <= %(now)s
                   FOR UPDATE) AS plan
 LIMIT %(most_of_them)s
"""
