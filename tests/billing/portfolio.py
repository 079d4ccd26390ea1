"""Policies, invoices and customers for tests of the planner; and a clock that tests turn."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from apps.billing import policies
from apps.billing.models import Anchor, Invoice, Reminder, ReminderPolicy
from apps.billing.plans import look_again
from apps.billing.policies import WantedRule
from apps.channels.models import ChannelAccount
from apps.core import clock
from apps.messaging.models import Contact, ContactAddress, Message, TemplateText
from apps.messaging.wording.variables import Variable, VariableType
from tests.cast import House
from tests.messaging import templates

TEMPLATE = "bill"
VARIABLES = (
    Variable("name", VariableType.TEXT, "Ana", is_required=False),
    Variable("number", VariableType.TEXT, "1001"),
    Variable("amount_due", VariableType.MONEY, "149.90 BRL"),
    Variable("due_date", VariableType.DATE, "2026-03-01"),
    Variable("days_left", VariableType.NUMBER, 3),
    Variable("days_overdue", VariableType.NUMBER, 0),
    Variable("count", VariableType.NUMBER, 1),
    Variable("total", VariableType.MONEY, "149.90 BRL"),
    Variable("invoices", VariableType.TEXT, "1001", is_required=False),
)
BODY = (
    "{% if count > 1 %}{{ count }} bills, {{ total }}:\n{{ invoices }}"
    "{% else %}{{ number }} {{ amount_due }}{% endif %}"
)


@dataclass
class Time:
    """What the clock says."""

    now: datetime

    def is_(self, day: str, hour: str = "12:00") -> None:
        """In São Paulo, which is three hours behind."""
        self.now = datetime.fromisoformat(f"{day}T{hour}:00-03:00").astimezone(UTC)

    def passes(self, **some: float) -> None:
        self.now += timedelta(**some)


def turn_clock(monkeypatch: pytest.MonkeyPatch, day: str, hour: str = "12:00") -> Time:
    time = Time(clock.now())
    time.is_(day, hour)
    monkeypatch.setattr(clock, "now", lambda: time.now)
    return time


def template(house: House, name: str = TEMPLATE, body: str = BODY, **values: Any) -> None:
    content = values.pop("content", {})
    texts = [
        TemplateText(language=language, subject="Bill", body=body, content=content) for language in ("pt-BR", "en")
    ]
    templates.published(house, *texts, name=name, **{"variables": VARIABLES, "category": "billing"} | values)


def rule(offset: int, anchor: Anchor = Anchor.DUE, **values: Any) -> WantedRule:
    return WantedRule({"anchor": anchor, "offset": offset, "template": TEMPLATE} | values)


def live_policy(
    house: House, accounts: Sequence[ChannelAccount], *rules: WantedRule, **values: Any
) -> ReminderPolicy:
    given = {"name": "Everybody", "accounts": [account.id for account in accounts], "most_a_week": 7} | values
    policy = policies.add(house.principal(), rules or (rule(-3), rule(0), rule(5)), **given)
    return policies.go_live(house.principal(), policy)


def customer(house: House, phone: str = "+5511912345601", name: str = "Ana", **values: Any) -> Contact:
    contact = Contact.across_organizations.create(organization=house.organization, name=name, **values)
    ContactAddress.across_organizations.create(
        organization=house.organization, contact=contact, kind="phone", value=phone
    )
    return contact


def invoice(contact: Contact, due_on: str, number: str = "1001", **values: Any) -> Invoice:
    now = clock.now()
    given = {"amount": 14990, "created_at": now, "changed_at": now} | values
    made = Invoice.across_organizations.create(
        organization=contact.organization,
        contact=contact,
        number=number,
        due_on=date.fromisoformat(due_on),
        **given,
    )
    look_again(contact.organization, [made.id])
    return made


def reminded(invoice: Invoice) -> list[tuple[str, str]]:
    """State or reason of each reminder, with the day on which it was planned."""
    rows = Reminder.across_organizations.filter(invoice=invoice).order_by("planned_for", "occurrence")
    return [(row.planned_for.date().isoformat(), row.reason or row.state) for row in rows]


def texts(house: House) -> list[str]:
    messages = Message.objects.for_organization(house.organization).order_by("id")
    return list(messages.values_list("text", flat=True))
