"""What the planner will do, found out by letting its own decisions run ahead of time: nothing is written.

Policies are asked as they are, or as if one of them went live now. Invoices stay as they are: whoever would pay
meanwhile is not foreseen.
"""

from collections import defaultdict
from collections.abc import Container, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from apps.billing.models import Invoice, Reminder, ReminderPolicy, ReminderRule
from apps.billing.planner import batch
from apps.billing.planner.batch import WEEK, Batch, Customer, LivePolicy, _policies, _variables
from apps.billing.planner.decide import fits, rule_of
from apps.billing.planner.plan import Due, _decide, _within_limits, _Work
from apps.channels.models import ChannelAccount

# Of one customer. Far more than anybody is written to; a policy that is odd enough must not stop the world.
MOST_STEPS = 1_000


@dataclass(frozen=True, slots=True)
class Foreseen:
    """A message that would go; or reminders that would be skipped, each by itself, with the reason."""

    at: datetime
    customer: Customer
    # In one message.
    together: Sequence[Due] = ()
    skipped: Reminder | None = None
    # Everything that is known of it, as the planner hands it over.
    known: Batch | None = None

    @property
    def policy_id(self) -> UUID | None:
        return self.together[0].live.policy.id if self.together else None


def read(invoices: Sequence[Invoice], now: datetime, policy: ReminderPolicy | None = None) -> Batch:
    """As the planner reads them; with that policy among those that are live, in its place."""
    known = batch.read(invoices, now)
    if policy is None:
        return known
    policies = {policy.organization_id: beside_live(policy, now)}
    return replace(known, policies=policies, variables=_variables(policies))


def beside_live(policy: ReminderPolicy, now: datetime) -> list[LivePolicy]:
    live = _policies({policy.organization_id}).get(policy.organization_id, [])
    others = [each for each in live if each.policy.id != policy.id]
    return sorted([*others, as_live(policy, now)], key=lambda each: (each.policy.position, each.policy.id))


def as_live(policy: ReminderPolicy, now: datetime) -> LivePolicy:
    shown = copy(policy)
    shown.live_since = policy.live_since or now
    rules = list(ReminderRule.across_organizations.filter(policy=policy).order_by("offset", "id"))
    accounts = ChannelAccount.across_organizations.filter(organization=policy.organization_id).in_bulk(
        policy.accounts
    )
    return LivePolicy(
        shown,
        [rule_of(rule) for rule in rules],
        {rule.id: rule for rule in rules},
        [accounts[account_id] for account_id in policy.accounts if account_id in accounts],
    )


def followed(known: Batch, invoice: Invoice) -> LivePolicy | None:
    """The policy whose rules it follows."""
    policies = known.policies.get(invoice.organization_id, ())
    return next((each for each in policies if fits(each.policy, invoice)), None)


def only_of(known: Batch, contact_ids: Container[UUID]) -> Batch:
    return replace(known, invoices=[each for each in known.invoices if each.contact_id in contact_ids])


def foresee(known: Batch, now: datetime, until: datetime) -> Iterator[Foreseen]:
    """Customer by customer, each in the order of time."""
    of_customers: dict[UUID, list[Invoice]] = defaultdict(list)
    for invoice in known.invoices:
        of_customers[invoice.contact_id].append(invoice)
    for contact_id, theirs in of_customers.items():
        yield from _foresee(known, contact_id, theirs, now, until)


def _foresee(
    known: Batch, contact_id: UUID, theirs: Sequence[Invoice], now: datetime, until: datetime
) -> Iterator[Foreseen]:
    customer = known.customers[contact_id]
    done = {invoice.id: set(known.done.get(invoice.id, ())) for invoice in theirs}
    looks: dict[UUID, datetime | None] = dict.fromkeys(done, now)
    for _step in range(MOST_STEPS):
        at = min((look for look in looks.values() if look is not None), default=None)
        if at is None or at > until:
            return
        customer = replace(customer, touches=[touch for touch in customer.touches if touch > at - WEEK])
        due = [invoice for invoice in theirs if (look := looks[invoice.id]) is not None and look <= at]
        then = replace(known, invoices=due, customers={contact_id: customer}, done=done)
        work = _Work()
        for invoice in due:
            _decide(then, invoice, work, at)
        touches = _within_limits(then, work, at)
        for reminder in work.skipped:
            if reminder.rule_id is not None:
                done[reminder.invoice_id].add((reminder.rule_id, reminder.occurrence))
            yield Foreseen(at, customer, skipped=reminder)
        for together in touches:
            for each in together:
                done[each.invoice.id].add((each.occasion.rule_id, each.occasion.nominal))
            yield Foreseen(at, customer, together, known=then)
        customer = replace(customer, touches=[*customer.touches, *(at for _ in touches)])
        _go_on(looks, work.looks, at)


def _go_on(looks: dict[UUID, datetime | None], decided: Mapping[UUID, datetime | None], at: datetime) -> None:
    """The next look at what was just looked at, never before this one."""
    for invoice_id, look in decided.items():
        looks[invoice_id] = look if look is None or look >= at else at + timedelta(minutes=1)
