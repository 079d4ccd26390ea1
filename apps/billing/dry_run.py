"""What a policy would send over the bills that are really unpaid: how many messages, on which days, over what.

However large the portfolio is, so many invoices are read and no more, some at a time; the answer says of how many.
"""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import groupby
from operator import itemgetter
from uuid import UUID

from apps.billing import ahead
from apps.billing.ahead import Decisions
from apps.billing.models import Invoice, ReminderPolicy
from apps.billing.models.invoice import UNPAID
from apps.billing.planner.batch import Batch, address_at
from apps.core import clock

DAYS = 30
MOST_DAYS = 90
MOST_INVOICES = 20_000
AT_ONCE = 1_000
# After that nothing more is read: somebody waits for the answer.
SECONDS = 15.0


@dataclass(slots=True)
class DryRun:
    days: int
    # Unpaid invoices that were looked at, of all that there are.
    read: int = 0
    of: int = 0
    # Of those that were read, how many follow the policy, and of how many customers.
    fits: int = 0
    customers: int = 0
    # Of these customers, how many have no address for any of its channels.
    unreachable: int = 0
    # By day and channel: the first one, the others only help out.
    messages: Counter[tuple[date, str]] = field(default_factory=Counter)
    reminders: Counter[tuple[date, str]] = field(default_factory=Counter)

    @property
    def by_channel(self) -> dict[str, int]:
        counted: Counter[str] = Counter()
        for (_day, channel), count in self.messages.items():
            counted[channel] += count
        return dict(counted.most_common())


def of_policy(policy: ReminderPolicy, days: int = DAYS) -> DryRun:
    """Also of one that is not live: as if it went live now. Customers are read whole, for what joins."""
    now = clock.now()
    ends = time.monotonic() + SECONDS
    unpaid = Invoice.objects.for_organization(policy.organization).filter(status__in=UNPAID)
    run = DryRun(days, of=unpaid.count())
    rows = list(unpaid.order_by("due_on", "id").values_list("contact_id", "id")[:MOST_INVOICES])
    decisions = Decisions()
    for ids in _batches(sorted(rows)):
        if time.monotonic() > ends:
            break
        known = ahead.read(list(Invoice.across_organizations.filter(pk__in=ids)), now, policy)
        run.read += len(known.invoices)
        _count(run, known, policy, decisions, now)
    return run


def _batches(rows: Sequence[tuple[UUID, UUID]]) -> Iterator[list[UUID]]:
    """Of whole customers, as long as these are not larger than a batch."""
    batch: list[UUID] = []
    for _contact, theirs in groupby(rows, key=itemgetter(0)):
        ids = [invoice_id for _, invoice_id in theirs]
        if batch and len(batch) + len(ids) > AT_ONCE:
            yield batch
            batch = []
        batch += ids
    if batch:
        yield batch


def _count(run: DryRun, known: Batch, policy: ReminderPolicy, decisions: Decisions, now: datetime) -> None:
    following = {}
    for invoice in known.invoices:
        live = ahead.followed(known, invoice)
        if live is not None and live.policy.id == policy.id:
            run.fits += 1
            following[invoice.contact_id] = live
    run.customers += len(following)
    run.unreachable += sum(
        not any(address_at(known.customers[contact_id], account) for account in live.accounts)
        for contact_id, live in following.items()
    )
    # What else these customers are told counts for the same limits.
    concerned = ahead.only_of(known, following)
    for each in ahead.foresee(concerned, now, now + timedelta(days=run.days), decisions):
        if each.policy_id != policy.id:
            continue
        accounts = each.together[0].live.accounts
        account = next((account for account in accounts if address_at(each.customer, account)), None)
        if account is not None:
            key = each.customer.today(each.at), account.connector
            run.messages[key] += 1
            run.reminders[key] += len(each.together)
