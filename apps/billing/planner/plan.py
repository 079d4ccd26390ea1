"""The planner: takes invoices whose moment has come, a batch at a time, and hands over what is due.

All that is due for a customer is in one batch, for it goes in one message and counts for one limit. There is one
planner at work at a time. A batch is one transaction: whoever dies in it has done nothing, and the table of
reminders has room for each occasion once.
"""

import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from uuid import UUID

import structlog
from django.db import connection, transaction

from apps.billing.dates.moments import Occasion
from apps.billing.models import Invoice, Reminder, ReminderState
from apps.billing.planner import anew, batch, hand_over
from apps.billing.planner.batch import Batch, Customer, LivePolicy
from apps.billing.planner.decide import Course, clock_of, decide, fits, look_at, rules_for
from apps.core import clock

logger = structlog.get_logger(__name__)

AT_ONCE = 500
# A customer with more that is due at once is looked at again.
MOST_OF_THEM = 5_000
# For this long a run goes on before it lets the next one begin.
RUN_SECONDS = 50.0
_LOCK = 0x5265636164  # nobody else's advisory lock


@dataclass(frozen=True, slots=True)
class Due:
    """An invoice with the reminder that is to be sent of it."""

    invoice: Invoice
    live: LivePolicy
    occasion: Occasion


@dataclass(slots=True)
class _Work:
    """What a batch comes to."""

    send: list[Due] = field(default_factory=list)
    skipped: list[Reminder] = field(default_factory=list)
    looks: dict[UUID, datetime | None] = field(default_factory=dict)


def run(seconds: float = RUN_SECONDS) -> int:
    """How many invoices were looked at."""
    ends = time.monotonic() + seconds
    looked_at = 0
    while time.monotonic() < ends:
        found = plan_batch() or anew.set_some()
        if not found:
            break
        looked_at += found
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
    work = _Work()
    for invoice in all_of_them.invoices:
        _decide(all_of_them, invoice, work, now)
    touches = _within_limits(all_of_them, work, now)
    work.skipped += hand_over.hand_over(all_of_them, touches, work.looks, now)
    Reminder.across_organizations.bulk_create(work.skipped)
    batch.set_looks(work.looks)
    return len(ids)


def _decide(all_of_them: Batch, invoice: Invoice, work: _Work, now: datetime) -> None:
    policies = all_of_them.policies.get(invoice.organization_id, ())
    live = next((each for each in policies if fits(each.policy, invoice)), None)
    rules = rules_for(invoice, live.rules) if live else []
    if live is None or not rules:
        work.looks[invoice.id] = None
        return
    place = all_of_them.customers[invoice.contact_id].place
    course = Course(live.policy, rules, clock_of(live.policy, place))
    verdict = decide(course, invoice, all_of_them.done.get(invoice.id, ()), now)
    work.skipped += [
        hand_over.reminder(invoice, occasion, now, state=ReminderState.SKIPPED, reason=reason)
        for occasion, reason in verdict.skip
    ]
    work.looks[invoice.id] = now if verdict.has_more else look_at(course, invoice, now)
    if verdict.send is not None:
        work.send.append(Due(invoice, live, verdict.send))


def _within_limits(all_of_them: Batch, work: _Work, now: datetime) -> list[list[Due]]:
    """What goes together in one message each. Who has had enough is written to on another day."""
    touches: list[list[Due]] = []
    of_customers: dict[UUID, list[Due]] = defaultdict(list)
    for due in sorted(work.send, key=lambda due: (due.invoice.due_on, due.invoice.id)):
        of_customers[due.invoice.contact_id].append(due)
    for contact_id, theirs in of_customers.items():
        customer = all_of_them.customers[contact_id]
        a_day, a_week = customer.had(now)
        for together in _joined(theirs):
            policy = together[0].live.policy
            if a_day < policy.most_a_day and a_week < policy.most_a_week:
                touches.append(together)
                a_day, a_week = a_day + 1, a_week + 1
            else:
                for due in together:
                    work.looks[due.invoice.id] = _tomorrow(due, customer, now)
    return touches


def _joined(theirs: Sequence[Due]) -> list[list[Due]]:
    """What one policy says of one currency, where the policy joins; else each by itself."""

    def together(due: Due) -> tuple[UUID, str, str]:
        policy = due.live.policy
        return policy.id, due.invoice.currency, "" if policy.joins_invoices else str(due.invoice.id)

    return [list(group) for _, group in groupby(sorted(theirs, key=together), key=together)]


def _tomorrow(due: Due, customer: Customer, now: datetime) -> datetime:
    day = customer.today(now) + timedelta(days=1)
    return datetime.combine(day, due.live.policy.send_at, customer.place.zone)


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
