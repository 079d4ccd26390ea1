"""Reminders that are sent: written down, and given to the engine as ordinary messages with a guard."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from apps.accounts import barred
from apps.billing.dates.moments import Occasion
from apps.billing.guard import GUARD
from apps.billing.models import Invoice, Reminder, ReminderRule, ReminderState, Touch
from apps.billing.planner import words
from apps.billing.planner.batch import Batch, address_at
from apps.channels.models import ChannelAccount
from apps.channels.registry import connector_class
from apps.messaging.engine.accept import accept
from apps.messaging.engine.new_message import NewMessage, Refused, Step, WantedTemplate
from apps.messaging.statuses import Category

if TYPE_CHECKING:
    from apps.billing.planner.gather import Due

# A reminder that could not leave for so long would be answered with a wondering look.
LIFE = timedelta(days=4)
NO_CHANNEL = "no_channel"
# Nobody knows when a suspension is lifted, or a quota raised.
LOOK_AGAIN = timedelta(hours=1)


def reminder(
    invoice: Invoice, occasion: Occasion, now: datetime, *, state: ReminderState, reason: str = ""
) -> Reminder:
    return Reminder(
        organization_id=invoice.organization_id,
        invoice=invoice,
        rule_id=occasion.rule_id,
        occurrence=occasion.nominal,
        planned_for=occasion.at,
        due_on=invoice.due_on,
        amount_due=invoice.amount_due,
        state=state,
        reason=reason,
        created_at=now,
    )


# An account, and where a customer is reached there.
type Way = tuple[ChannelAccount, str]


@dataclass(frozen=True, slots=True)
class _Offer:
    """What the engine is asked to take over."""

    together: Sequence["Due"]
    # Those that are left to try.
    ways: Sequence[Way]
    # What was said against the first way of all.
    reason: str = ""


def hand_over(
    batch: Batch, touches: Sequence[Sequence["Due"]], looks: dict[UUID, datetime | None], now: datetime
) -> list[Reminder]:
    """Writes those that the engine accepts; those that it refuses come back, to be written as not sent."""
    not_sent: list[Reminder] = []
    of_organizations: dict[UUID, list[_Offer]] = defaultdict(list)
    for together in touches:
        offer = _Offer(together, ways_of(batch, together))
        if offer.ways:
            of_organizations[together[0].invoice.organization_id].append(offer)
        else:
            not_sent += _not_sent(together, NO_CHANNEL, now)
    for offers in of_organizations.values():
        left = offers
        # As often as a policy has channels: who is not to be written to over the first may be over the next.
        while left:
            refused = _offer(batch, left, looks, now)
            left = [replace(each, ways=each.ways[1:]) for each in refused if len(each.ways) > 1]
            for each in refused:
                if len(each.ways) == 1:
                    not_sent += _not_sent(each.together, each.reason, now)
    return not_sent


def _offer(
    batch: Batch, offers: Sequence[_Offer], looks: dict[UUID, datetime | None], now: datetime
) -> list[_Offer]:
    """Those that were refused."""
    touches = [_touch(offer, now) for offer in offers]
    messages = [
        message_for(batch, offer.together, offer.ways, touch, now)
        for offer, touch in zip(offers, touches, strict=True)
    ]
    answers = accept(batch.organizations[offers[0].together[0].invoice.organization_id], messages)
    refused: list[_Offer] = []
    accepted: list[Touch] = []
    told: list[Reminder] = []
    for offer, touch, answer in zip(offers, touches, answers, strict=True):
        if not isinstance(answer, Refused):
            touch.message_id = answer.id
            accepted.append(touch)
            for due in offer.together:
                each = reminder(due.invoice, due.occasion, now, state=ReminderState.TOLD)
                each.touch = touch
                told.append(each)
        elif (wait := _wait(answer)) is not None:
            for due in offer.together:
                looks[due.invoice.id] = now + wait
        else:
            refused.append(replace(offer, reason=offer.reason or answer.code))
    Touch.across_organizations.bulk_create(accepted)
    Reminder.across_organizations.bulk_create(told)
    return refused


def _wait(refused: Refused) -> timedelta | None:
    """Of an account that has sent all it may today, and of an organization that may send nothing now."""
    if refused.code in barred.CODES:
        return LOOK_AGAIN
    return None if refused.retry_after is None else timedelta(seconds=refused.retry_after)


def _touch(offer: _Offer, now: datetime) -> Touch:
    first = offer.together[0]
    return Touch(
        organization_id=first.invoice.organization_id,
        contact_id=first.invoice.contact_id,
        policy=first.live.policy,
        created_at=now,
    )


def _not_sent(together: Sequence["Due"], reason: str, now: datetime) -> list[Reminder]:
    return [
        reminder(due.invoice, due.occasion, now, state=ReminderState.SKIPPED, reason=reason[:40])
        for due in together
    ]


def ways_of(batch: Batch, together: Sequence["Due"]) -> list[Way]:
    """In the policy's order, over which the customer is reached."""
    customer = batch.customers[together[0].invoice.contact_id]
    return [(account, to) for account in together[0].live.accounts if (to := address_at(customer, account))]


def message_for(
    batch: Batch, together: Sequence["Due"], ways: Sequence[Way], touch: Touch, now: datetime
) -> NewMessage:
    """Over the first of these ways, with the others to fall back to."""
    first = together[0]
    live, invoice = first.live, first.invoice
    customer = batch.customers[invoice.contact_id]
    rule = live.by_id[first.occasion.rule_id]
    values = words.values(
        [due.invoice for due in together],
        customer.contact.name,
        customer.contact.language,
        customer.today(now),
    )
    templates = [_template(batch, invoice, rule, account, values) for account, _ in ways]
    (account, to), *others = ways
    # Who never hears of a delivery would wait for one in vain.
    is_followed = bool(others) and connector_class(account.connector).capabilities.reports_delivered
    return NewMessage(
        account_id=account.id,
        to=to,
        template=templates[0],
        category=Category.BILLING,
        fallback=tuple(
            Step(account_id=other.id, to=address, template=template)
            for (other, address), template in zip(others, templates[1:], strict=True)
        ),
        delivered_within=live.policy.delivered_within if is_followed else None,
        expires_at=now + LIFE,
        reference=invoice.number if len(together) == 1 else "",
        metadata={"policy_id": str(live.policy.id), "invoice_ids": [str(due.invoice.id) for due in together]},
        guard=GUARD,
        guard_key=touch.id,
    )


def _template(
    batch: Batch, invoice: Invoice, rule: ReminderRule, account: ChannelAccount, values: Mapping[str, object]
) -> WantedTemplate:
    """In the customer's language; of what is known of the invoice, what it takes."""
    name = rule.channel_templates.get(account.connector, rule.template)
    taken = batch.variables.get((invoice.organization_id, name), frozenset())
    return WantedTemplate(name, {key: value for key, value in values.items() if key in taken})
