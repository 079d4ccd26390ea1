"""What a batch comes to: what is sent of each customer's invoices, what is not, and when to look again.

No statement runs here, so that a preview can ask the same questions of other times.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from uuid import UUID

from apps.billing.dates.moments import Occasion
from apps.billing.models import Invoice, Reminder, ReminderState
from apps.billing.planner import hand_over
from apps.billing.planner.batch import Batch, Customer, LivePolicy
from apps.billing.planner.decide import Course, clock_of, decide, fits, look_at, rules_for


@dataclass(frozen=True, slots=True)
class Due:
    """An invoice with the reminder that is to be sent of it."""

    invoice: Invoice
    live: LivePolicy
    occasion: Occasion


@dataclass(slots=True)
class Work:
    """What a batch comes to."""

    send: list[Due] = field(default_factory=list)
    skipped: list[Reminder] = field(default_factory=list)
    looks: dict[UUID, datetime | None] = field(default_factory=dict)


def consider(all_of_them: Batch, invoice: Invoice, work: Work, now: datetime) -> None:
    policies = all_of_them.policies.get(invoice.organization_id, ())
    live = next((each for each in policies if fits(each.policy, invoice)), None)
    rules = rules_for(invoice, live.rules) if live else ()
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


def within_limits(all_of_them: Batch, work: Work, now: datetime) -> list[list[Due]]:
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
