"""Reminder policies as callers write them, and what the API answers about them."""

from typing import Any
from uuid import UUID

from apps.billing import policies
from apps.billing.models import Invoice, Reminder, ReminderPolicy, ReminderState, Touch
from apps.billing.policies import WantedRule
from apps.channels.models import ChannelAccount
from apps.core import clock
from apps.messaging.models import Contact, Message
from tests.billing.portfolio import TEMPLATE, customer, rule, template
from tests.cast import House
from tests.messaging import history

POLICIES = "/v1/reminder-policies"


def body(*accounts: ChannelAccount, **values: Any) -> dict[str, Any]:
    rules = [{"offset": -3, "template": TEMPLATE}, {"offset": 0, "template": TEMPLATE}]
    return {"name": "Everybody", "accounts": [str(account.id) for account in accounts], "rules": rules} | values


def draft(
    house: House, *accounts: ChannelAccount, rules: tuple[WantedRule, ...] = (), **values: Any
) -> ReminderPolicy:
    """It needs a template, which `portfolio.template` publishes."""
    given = {"name": f"Policy of {house.organization.slug}", "accounts": [account.id for account in accounts]}
    return policies.add(house.principal(), rules or (rule(-3), rule(0)), **(given | values))


def drafted(house: House) -> ReminderPolicy:
    """With all that it needs."""
    template(house, f"bill_of_{house.organization.slug}")
    rules = (rule(0, template=f"bill_of_{house.organization.slug}"),)
    return draft(house, history.account_of(house), rules=rules)


def skipped(house: House) -> Reminder:
    now = clock.now()
    contact = customer(house, "+5511912345677", f"Ana of {house.organization.slug}")
    return Reminder.across_organizations.create(
        organization=house.organization,
        invoice=unpaid(contact, f"1 of {house.organization.slug}"),
        occurrence=now,
        planned_for=now,
        due_on=now.date(),
        amount_due=1,
        state=ReminderState.SKIPPED,
        reason="no_channel",
        created_at=now,
    )


def unpaid(contact: Contact, number: str) -> Invoice:
    now = clock.now()
    return Invoice.across_organizations.create(
        organization=contact.organization,
        contact=contact,
        number=number,
        amount=100,
        due_on=now.date(),
        created_at=now,
        changed_at=now,
    )


def told(policy: ReminderPolicy, invoice: Invoice, message: Message, **values: Any) -> Reminder:
    """As the planner writes it down."""
    now = clock.now()
    touch = Touch.across_organizations.create(
        organization=policy.organization,
        contact=invoice.contact,
        policy=policy,
        message_id=message.id,
        created_at=values.get("created_at", now),
    )
    first = policy.rules.order_by("offset").first()
    given = {"rule": first, "occurrence": now, "planned_for": now, "created_at": now} | values
    return Reminder.across_organizations.create(
        organization=policy.organization,
        invoice=invoice,
        touch=touch,
        due_on=invoice.due_on,
        amount_due=invoice.amount_due,
        state=ReminderState.TOLD,
        **given,
    )


def took_the_place(message: Message, house: House, **values: Any) -> Message:
    """A message over another way, as the engine writes it."""
    other = history.queued(house)
    Message.across_organizations.filter(pk=other.pk).update(fallback_of_id=message.pk, **values)
    return Message.across_organizations.get(pk=other.pk)


def becomes(message_id: UUID, **values: Any) -> None:
    Message.across_organizations.filter(pk=message_id).update(**values)
