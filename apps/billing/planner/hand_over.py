"""Reminders that are sent: written down, and given to the engine as ordinary messages with a guard."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from apps.billing.dates.moments import Occasion
from apps.billing.guard import GUARD
from apps.billing.models import Invoice, Reminder, ReminderRule, ReminderState, Touch
from apps.billing.planner import words
from apps.billing.planner.batch import Batch, address_at
from apps.channels.models import ChannelAccount
from apps.messaging.engine.accept import accept
from apps.messaging.engine.new_message import Answer, NewMessage, Refused, Step, WantedTemplate
from apps.messaging.statuses import Category

if TYPE_CHECKING:
    from apps.billing.planner.gather import Due

# A reminder that could not leave for so long would be answered with a wondering look.
LIFE = timedelta(days=4)
NO_CHANNEL = "no_channel"


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


def hand_over(
    batch: Batch, touches: Sequence[Sequence["Due"]], looks: dict[UUID, datetime | None], now: datetime
) -> list[Reminder]:
    """Writes those that the engine accepts; those that it refuses come back, to be written as not sent."""
    refused: list[Reminder] = []
    wanted: dict[UUID, list[tuple[Sequence[Due], Touch, NewMessage]]] = defaultdict(list)
    for together in touches:
        first = together[0]
        touch = Touch(
            organization_id=first.invoice.organization_id,
            contact_id=first.invoice.contact_id,
            policy=first.live.policy,
            created_at=now,
        )
        message = message_for(batch, together, touch, now)
        if message is None:
            refused += _not_sent(together, NO_CHANNEL, now)
        else:
            wanted[first.invoice.organization_id].append((together, touch, message))
    for organization_id, theirs in wanted.items():
        answers = accept(batch.organizations[organization_id], [message for _, _, message in theirs])
        refused += _write(theirs, answers, looks, now)
    return refused


def _write(
    asked: Sequence[tuple[Sequence["Due"], Touch, NewMessage]],
    answers: Sequence[Answer],
    looks: dict[UUID, datetime | None],
    now: datetime,
) -> list[Reminder]:
    refused: list[Reminder] = []
    touches: list[Touch] = []
    told: list[Reminder] = []
    for (together, touch, _), answer in zip(asked, answers, strict=True):
        if not isinstance(answer, Refused):
            touch.message_id = answer.id
            touches.append(touch)
            for due in together:
                each = reminder(due.invoice, due.occasion, now, state=ReminderState.TOLD)
                each.touch = touch
                told.append(each)
        elif answer.retry_after is not None:  # an account that has sent all it may today
            for due in together:
                looks[due.invoice.id] = now + timedelta(seconds=answer.retry_after)
        else:
            refused += _not_sent(together, answer.code, now)
    Touch.across_organizations.bulk_create(touches)
    Reminder.across_organizations.bulk_create(told)
    return refused


def _not_sent(together: Sequence["Due"], reason: str, now: datetime) -> list[Reminder]:
    return [
        reminder(due.invoice, due.occasion, now, state=ReminderState.SKIPPED, reason=reason[:40])
        for due in together
    ]


def message_for(batch: Batch, together: Sequence["Due"], touch: Touch, now: datetime) -> NewMessage | None:
    """None where the customer is reached over no channel of the policy."""
    first = together[0]
    live, invoice = first.live, first.invoice
    customer = batch.customers[invoice.contact_id]
    ways = [(account, to) for account in live.accounts if (to := address_at(customer, account))]
    if not ways:
        return None
    rule = live.by_id[first.occasion.rule_id]
    values = words.values(
        [due.invoice for due in together],
        customer.contact.name,
        customer.contact.language,
        customer.today(now),
    )
    templates = [_template(batch, invoice, rule, account, values) for account, _ in ways]
    (account, to), *others = ways
    return NewMessage(
        account_id=account.id,
        to=to,
        template=templates[0],
        category=Category.BILLING,
        fallback=tuple(
            Step(account_id=other.id, to=address, template=template)
            for (other, address), template in zip(others, templates[1:], strict=True)
        ),
        delivered_within=live.policy.delivered_within if others else None,
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
