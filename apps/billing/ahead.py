"""What the planner will do, found out by letting its own decisions run ahead of time: nothing is written.

Policies are asked as they are, or as if one of them went live now. Invoices stay as they are: whoever would pay
meanwhile is not foreseen.
"""

from collections import defaultdict
from collections.abc import Container, Hashable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from apps.billing.dates.moments import Occasion
from apps.billing.models import Invoice, ReminderPolicy, ReminderRule
from apps.billing.planner import batch
from apps.billing.planner.batch import WEEK, Batch, Customer, LivePolicy, policies_of, variables_of
from apps.billing.planner.decide import begins, fits, rule_of
from apps.billing.planner.gather import Due, Work, consider, within_limits
from apps.channels.models import ChannelAccount

# Of one customer. Far more than anybody is written to; a policy that is odd enough must not stop the world.
MOST_STEPS = 1_000
MOST_REMEMBERED = 20_000


@dataclass(frozen=True, slots=True)
class Skip:
    invoice: Invoice
    occasion: Occasion
    reason: str


@dataclass(frozen=True, slots=True)
class Foreseen:
    """A message that would go; or a reminder that would be skipped."""

    at: datetime
    customer: Customer
    # In one message.
    together: Sequence[Due] = ()
    skipped: Skip | None = None
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
    return replace(known, policies=policies, variables=variables_of(policies))


def beside_live(policy: ReminderPolicy, now: datetime) -> list[LivePolicy]:
    live = policies_of({policy.organization_id}).get(policy.organization_id, [])
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


@dataclass(frozen=True, slots=True)
class _Decision:
    """What the planner decides about an invoice at a moment."""

    send: Occasion | None
    skip: tuple[tuple[Occasion, str], ...]
    look: datetime | None


@dataclass(slots=True)
class Decisions:
    """The planner's, remembered: most invoices of a portfolio share their days with many others."""

    _known: dict[Hashable, _Decision] = field(default_factory=dict)

    def of(self, known: Batch, live: LivePolicy, invoice: Invoice, at: datetime) -> _Decision:
        # All that the planner looks at.
        key = (
            at,
            live.policy.id,
            invoice.status,
            invoice.due_on,
            invoice.paid_at,
            begins(live.policy, invoice),
            known.customers[invoice.contact_id].place,
            frozenset(known.done[invoice.id]),
        )
        decision = self._known.get(key)
        if decision is None:
            if len(self._known) >= MOST_REMEMBERED:
                self._known.clear()
            decision = self._known[key] = _decision(known, invoice, at)
        return decision


def _decision(known: Batch, invoice: Invoice, at: datetime) -> _Decision:
    work = Work()
    consider(known, invoice, work, at)
    skip = tuple(
        (Occasion(row.rule_id, row.occurrence, row.planned_for), row.reason)
        for row in work.skipped
        if row.rule_id is not None
    )
    return _Decision(work.send[0].occasion if work.send else None, skip, work.looks[invoice.id])


def foresee(
    known: Batch, now: datetime, until: datetime, decisions: Decisions | None = None
) -> Iterator[Foreseen]:
    """Customer by customer, each in the order of time."""
    decisions = decisions or Decisions()
    of_customers: dict[UUID, list[tuple[Invoice, LivePolicy]]] = defaultdict(list)
    for invoice in known.invoices:
        if (live := followed(known, invoice)) is not None:
            of_customers[invoice.contact_id].append((invoice, live))
    for contact_id, theirs in of_customers.items():
        own = {contact_id: known.customers[contact_id]}
        done = {invoice.id: set(known.done.get(invoice.id, ())) for invoice, _ in theirs}
        yield from _foresee(replace(known, customers=own, done=done), theirs, decisions, now, until)


def _foresee(
    known: Batch,
    theirs: Sequence[tuple[Invoice, LivePolicy]],
    decisions: Decisions,
    now: datetime,
    until: datetime,
) -> Iterator[Foreseen]:
    """Of one customer. At each step the planner looks at what asks for it, as it would then."""
    looks: dict[UUID, datetime | None] = {invoice.id: now for invoice, _ in theirs}
    for _step in range(MOST_STEPS):
        at = min((look for look in looks.values() if look is not None), default=None)
        if at is None or at > until:
            return
        work = Work()
        for invoice, live in theirs:
            look = looks[invoice.id]
            if look is None or look > at:
                continue
            decision = decisions.of(known, live, invoice, at)
            work.looks[invoice.id] = decision.look
            for occasion, reason in decision.skip:
                known.done[invoice.id].add((occasion.rule_id, occasion.nominal))
                yield Foreseen(at, _only(known), skipped=Skip(invoice, occasion, reason))
            if decision.send is not None:
                work.send.append(Due(invoice, live, decision.send))
        if work.send:
            known = _with_touches(known, [each for each in _only(known).touches if each > at - WEEK])
            touches = within_limits(known, work, at)
            for together in touches:
                for each in together:
                    known.done[each.invoice.id].add((each.occasion.rule_id, each.occasion.nominal))
                yield Foreseen(at, _only(known), together, known=known)
            known = _with_touches(known, [*_only(known).touches, *(at for _ in touches)])
        looks |= work.looks


def _only(known: Batch) -> Customer:
    (customer,) = known.customers.values()
    return customer


def _with_touches(known: Batch, touches: Sequence[datetime]) -> Batch:
    customer = replace(_only(known), touches=touches)
    return replace(known, customers={customer.contact.id: customer})
