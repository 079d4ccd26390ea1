"""Which reminders of an invoice are due, which of them are sent, and when to look again: no database, no clock."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from uuid import UUID

from apps.billing.dates.moments import Bill, Clock, Occasion, Rule, next_at, occasions
from apps.billing.dates.places import Place
from apps.billing.models import (
    Anchor,
    DaysOff,
    Invoice,
    InvoiceStatus,
    Late,
    ReminderPolicy,
    ReminderRule,
    Unit,
)

# A reminder that is older was held up by something; a planner that runs each minute is never so late by itself.
LATE_AFTER = timedelta(hours=12)
# What a change brings about counts from a little before it, lest a reminder be lost that was just due.
BEFORE_CHANGE = timedelta(days=1)

# Bills due on one day, at places with one clock, ask for the same; a batch is full of them.
_occasions = lru_cache(maxsize=4096)(occasions)
_next_at = lru_cache(maxsize=4096)(next_at)

# What an invoice had already: of a rule, at a moment.
type Done = Collection[tuple[UUID, datetime]]


@dataclass(frozen=True, slots=True)
class Course:
    """What an invoice follows: a policy, as much of its rules as applies now, by the customer's clock."""

    policy: ReminderPolicy
    rules: tuple[Rule, ...]
    clock: Clock


@dataclass(frozen=True, slots=True)
class Verdict:
    # The one that is sent.
    send: Occasion | None = None
    # Those that never will be, with the reason.
    skip: tuple[tuple[Occasion, str], ...] = ()
    # There are more, to be looked at after this one.
    has_more: bool = False


def fits(policy: ReminderPolicy, invoice: Invoice) -> bool:
    return (
        (policy.least_amount is None or invoice.amount >= policy.least_amount)
        and (policy.most_amount is None or invoice.amount <= policy.most_amount)
        and (not policy.tags or not set(policy.tags).isdisjoint(invoice.tags))
        and set(policy.except_tags).isdisjoint(invoice.tags)
        and (not policy.customers or invoice.contact_id in policy.customers)
    )


def policy_of(invoice: Invoice, policies: Iterable[ReminderPolicy]) -> ReminderPolicy | None:
    """The first that it fits, of those in their order."""
    return next((policy for policy in policies if fits(policy, invoice)), None)


def rule_of(rule: ReminderRule) -> Rule:
    return Rule(rule.id, Anchor(rule.anchor), rule.offset, Unit(rule.unit), rule.repeat_every, rule.repeat_until)


def rules_for(invoice: Invoice, rules: Sequence[Rule]) -> tuple[Rule, ...]:
    """After the payment it is thanked for, before it is asked for; else nobody is told anything."""
    if invoice.status == InvoiceStatus.PAID:
        return tuple(rule for rule in rules if rule.anchor is Anchor.PAID)
    if invoice.is_unpaid:
        return tuple(rule for rule in rules if rule.anchor is not Anchor.PAID)
    return ()


def bill_of(invoice: Invoice) -> Bill:
    return Bill(invoice.due_on, invoice.paid_at)


def clock_of(policy: ReminderPolicy, place: Place) -> Clock:
    return Clock(place, policy.send_at, DaysOff(policy.days_off))


def begins(policy: ReminderPolicy, invoice: Invoice) -> datetime:
    """What was to be said before is not said any more: policies do not begin with a flood."""
    assert policy.live_since is not None
    return max(policy.live_since, invoice.created_at, invoice.changed_at - BEFORE_CHANGE)


def decide(course: Course, invoice: Invoice, done: Done, now: datetime) -> Verdict:
    """At most one is sent at a time: whatever was missed, nobody gets two messages about one invoice at once."""
    due = [
        occasion
        for occasion in _occasions(
            course.rules, bill_of(invoice), course.clock, begins(course.policy, invoice), now
        )
        if (occasion.rule_id, occasion.nominal) not in done
    ]
    late = [occasion for occasion in due if now - occasion.at > LATE_AFTER]
    if course.policy.late == Late.SEND and late:
        return Verdict(due[0], has_more=len(due) > 1)
    skipped: list[tuple[Occasion, str]] = []
    if course.policy.late == Late.SKIP:
        skipped = [(occasion, "late") for occasion in late]
        due = due[len(late) :]
    if not due:
        return Verdict(skip=tuple(skipped))
    *earlier, last = due
    return Verdict(last, (*skipped, *((occasion, "merged") for occasion in earlier)))


def look_at(course: Course, invoice: Invoice, now: datetime) -> datetime | None:
    """When something of it is due next."""
    return _next_at(course.rules, bill_of(invoice), course.clock, max(now, begins(course.policy, invoice)))
