"""Invoices as callers bring them, and what is in flight while something becomes of them."""

from datetime import date
from typing import Any

from apps.accounts.principal import Principal
from apps.billing import invoices
from apps.billing.models import Invoice, Reminder, ReminderState, Touch
from apps.billing.new_invoice import NewCustomer, NewInvoice
from apps.core import clock
from apps.messaging.models import Delivery, Message
from tests.cast import House
from tests.messaging import history

PHONE = "+5511912345601"
BOLETO = "23793.38128 60007.827136 95000.063305 9 75520000370000"


def wanted(number: str = "1001", **values: Any) -> dict[str, Any]:
    """As JSON."""
    return {
        "number": number,
        "customer": {"name": "Ana", "phone": PHONE},
        "amount": 14990,
        "due_on": "2026-12-10",
    } | values


def add(house: House, number: str | None = None, **values: Any) -> Invoice:
    given: dict[str, Any] = {
        "customer": NewCustomer(name="Ana", phone=PHONE),
        "amount": 14990,
        "due_on": date(2026, 12, 10),
    } | values
    new = NewInvoice(number=number or f"1001 of {house.organization.slug}", **given)
    return invoices.add(Principal.of_system(house.organization), new).invoice


def reminder_at_provider(house: House, invoice: Invoice, message: Message | None = None) -> Message:
    """Claimed by a worker, past its guard, not answered yet."""
    message = message or history.queued(house)
    now = clock.now()
    touch = Touch.across_organizations.create(
        organization=house.organization, contact=invoice.contact, message_id=message.pk, created_at=now
    )
    Reminder.across_organizations.create(
        organization=house.organization, invoice=invoice, touch=touch, state=ReminderState.TOLD,
        occurrence=now, planned_for=now, due_on=invoice.due_on, amount_due=invoice.amount_due, created_at=now,
    )  # fmt: skip
    Message.across_organizations.filter(pk=message.pk).update(guard="billing", guard_key=touch.pk)
    Delivery.across_organizations.filter(message=message).update(state="sending", lease=message.pk)
    return message
