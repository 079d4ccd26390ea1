"""Just before a reminder leaves: nothing that was paid, that says what is not true, or that comes at night."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection

from apps.accounts.principal import Principal
from apps.billing import payments, plans, policies
from apps.billing.models import Invoice, Reminder, ReminderPlan, ReminderPolicy
from apps.billing.planner import plan
from apps.channels.models import ChannelAccount
from apps.core import clock
from apps.messaging.engine.recover import recover
from apps.messaging.models import Message, MessageEvent
from tests.billing.portfolio import (
    Time,
    customer,
    invoice,
    live_policy,
    reminded,
    rule,
    template,
    turn_clock,
)
from tests.cast import House
from tests.messaging.desk import ANA, Desk
from tests.messaging.provider import Provider


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch, transactional_db: None) -> Time:
    """The next Tuesday: the engine's own clock is the database's, so the day is not far from today."""
    today = clock.now()
    tuesday = today + timedelta(days=(1 - today.weekday()) % 7 or 7)
    return turn_clock(monkeypatch, tuesday.date().isoformat())


@pytest.fixture
def policy(aurora: House, account: ChannelAccount, time: Time) -> ReminderPolicy:
    template(aurora)
    return live_policy(aurora, [account], rule(0), days_off="none")


def due(house: House, time: Time, *numbers: str, **values: object) -> list[Invoice]:
    """Invoices of one customer, reminded of and not sent yet."""
    ana = customer(house)
    today = time.now.date().isoformat()
    time.passes(hours=-4)
    bills = [invoice(ana, today, number, **values) for number in numbers or ("1001",)]
    ReminderPolicy.across_organizations.update(live_since=time.now)
    time.passes(hours=4)
    assert plan.run() >= len(bills)
    assert all(len(reminded(bill)) == 1 for bill in bills)
    return bills


def paid(bill: Invoice) -> None:
    system = Principal.of_system(bill.organization)
    payments.pay(bill.id, bill.organization, None, None, "", system.actor)


def changed(bill: Invoice, **values: object) -> None:
    rows = Invoice.across_organizations.filter(pk=bill.pk)
    rows.update(changed_at=clock.now(), **values)
    plans.look_again(bill.organization, [bill.id])


def why(message: Message) -> str:
    message.refresh_from_db()
    return message.error_code


def test_reminder_leaves(
    aurora: House, desk: Desk, provider: Provider, policy: ReminderPolicy, time: Time
) -> None:
    due(aurora, time)
    desk.drain()
    assert len(provider.received_by(ANA)) == 1


def _stop(bill: Invoice) -> None:
    policies.stop(Principal.of_system(bill.organization), ReminderPolicy.across_organizations.get())


def _change(bill: Invoice) -> None:
    policies.change(Principal.of_system(bill.organization), ReminderPolicy.across_organizations.get(), [rule(3)])


ENDINGS: dict[str, Callable[[Invoice], None]] = {
    "paid": paid,
    "cancelled": lambda bill: changed(bill, status="cancelled"),
    "disputed": lambda bill: changed(bill, status="disputed"),
    "policy_stopped": _stop,
    "policy_changed": _change,
}


@pytest.mark.parametrize("reason", ENDINGS)
def test_reminder_of_what_ended_is_not_sent_and_says_why(
    aurora: House, desk: Desk, provider: Provider, policy: ReminderPolicy, time: Time, reason: str
) -> None:
    (bill,) = due(aurora, time)
    ENDINGS[reason](bill)
    desk.drain()
    message = Message.across_organizations.get()
    assert provider.received_by(ANA) == []
    assert (message.status, message.error_class, message.error_code) == ("cancelled", "stopped", reason)
    assert [what for _, what in reminded(bill)] == [reason]


def test_reminder_whose_amount_changed_is_made_anew(
    aurora: House, desk: Desk, provider: Provider, policy: ReminderPolicy, time: Time
) -> None:
    (bill,) = due(aurora, time)
    changed(bill, status="partly_paid", paid_amount=4990)
    desk.drain()
    assert provider.received_by(ANA) == []
    ReminderPolicy.across_organizations.update(most_a_day=2)
    plan.run()
    desk.drain()
    assert len(provider.received_by(ANA)) == 1
    last = Message.across_organizations.order_by("id").last()
    assert last is not None
    assert last.text.replace("\xa0", " ") == "1001 R$ 100,00"
    assert [what for _, what in reminded(bill)] == ["told"]


def test_other_invoices_of_the_message_are_told_anew(
    aurora: House, desk: Desk, provider: Provider, policy: ReminderPolicy, time: Time
) -> None:
    one, other = due(aurora, time, "1001", "1002")
    paid(one)
    desk.drain()
    assert provider.received_by(ANA) == []
    ReminderPolicy.across_organizations.update(most_a_day=2)
    plan.run()
    desk.drain()
    assert len(provider.received_by(ANA)) == 1
    assert [what for _, what in reminded(one)] == ["paid"]
    assert [what for _, what in reminded(other)] == ["told"]


def test_reminder_waits_for_a_decent_hour(
    aurora: House, desk: Desk, provider: Provider, policy: ReminderPolicy, time: Time
) -> None:
    due(aurora, time)
    time.passes(hours=9)
    desk.drain()
    message = Message.across_organizations.get()
    assert (provider.received_by(ANA), message.status) == ([], "sending")
    held = MessageEvent.across_organizations.filter(message=message, kind="held").last()
    assert held is not None
    # From nine in the evening until eight.
    assert held.detail["seconds"] == 11 * 3600
    time.passes(hours=11)
    desk.let_pass(11 * 3600)
    recover()
    desk.drain()
    assert len(provider.received_by(ANA)) == 1


def test_invoice_that_is_being_changed_is_waited_for(
    aurora: House, desk: Desk, provider: Provider, policy: ReminderPolicy, time: Time
) -> None:
    (bill,) = due(aurora, time)
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("SELECT 1 FROM invoice WHERE id = %s FOR NO KEY UPDATE", [bill.id])
            desk.drain()
            assert provider.received_by(ANA) == []
            cursor.execute("ROLLBACK")
    finally:
        other.close()
    desk.let_pass(2)
    recover()
    desk.drain()
    assert len(provider.received_by(ANA)) == 1


def test_payment_waits_for_a_reminder_that_is_at_the_provider(
    aurora: House, desk: Desk, provider: Provider, policy: ReminderPolicy, time: Time
) -> None:
    """Once it is written down, nothing leaves any more."""
    (bill,) = due(aurora, time)
    provider.delay(latency=0.5)
    drain = threading.Thread(target=desk.drain)
    drain.start()
    while not provider.received_by(ANA):
        drain.join(0.01)
    paid(bill)
    assert Message.across_organizations.get().status != "sending"
    drain.join(10)
    assert len(provider.received_by(ANA)) == 1


def test_payments_race_reminders(
    aurora: House, desk: Desk, provider: Provider, policy: ReminderPolicy, time: Time
) -> None:
    """Whichever comes first: who paid, and was told so, gets nothing after that."""
    ReminderPolicy.across_organizations.update(joins_invoices=False, most_a_day=20, most_a_week=50)
    bills = due(aurora, time, *(str(number) for number in range(1000, 1020)))
    desk.change(ordering="relaxed")
    provider.delay(latency=0.02)
    drain = threading.Thread(target=desk.drain)
    drain.start()
    had = []
    for bill in bills:
        paid(bill)
        message = Message.across_organizations.filter(reference=bill.number).get()
        had.append((message.pk, len(MessageEvent.across_organizations.filter(message=message, kind="sent"))))
    drain.join(10)
    desk.let_pass(60)
    recover()
    desk.drain()
    now = [(key, len(MessageEvent.across_organizations.filter(message=key, kind="sent"))) for key, _ in had]
    assert now == had
    assert len(provider.received_by(ANA)) == sum(sent for _, sent in had)


def test_plan_is_looked_at_again_after_a_reminder_was_stopped(
    aurora: House, desk: Desk, policy: ReminderPolicy, time: Time
) -> None:
    (bill,) = due(aurora, time)
    Invoice.across_organizations.filter(pk=bill.pk).update(due_on=bill.due_on + timedelta(days=30))
    desk.drain()
    assert ReminderPlan.across_organizations.get(invoice=bill).look_at == time.now
    assert Reminder.across_organizations.count() == 0
