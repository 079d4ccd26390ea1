"""Payments: written down once, and no reminder leaves after that."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from apps.accounts.models import AuditEvent
from apps.accounts.principal import SYSTEM
from apps.billing import in_flight, invoices, payments
from apps.billing.models import Invoice, InvoiceStatus, Payment, ReminderPlan
from apps.core import clock
from apps.core.api.problems import Problem
from apps.messaging.models import Delivery, Message
from tests.billing import bills
from tests.cast import Api, House
from tests.messaging import history


def pay(invoice: Invoice, amount: int | None = None, external_id: str = "", **values: Any) -> Invoice:
    return payments.pay(
        invoice.id, invoice.organization, amount, values.pop("paid_at", None), external_id, SYSTEM, **values
    )


@pytest.mark.django_db
def test_parts_add_up_and_the_rest_pays_it(aurora: House) -> None:
    invoice = bills.add(aurora)
    ReminderPlan.across_organizations.update(look_at=None)
    partly = pay(invoice, 4990)
    assert (partly.status, partly.paid_amount, partly.amount_due, partly.paid_at) == (
        "partly_paid", 4990, 10000, None,
    )  # fmt: skip
    when = datetime(2026, 11, 1, 12, tzinfo=UTC)
    paid = pay(invoice, paid_at=when)
    assert (paid.status, paid.paid_amount, paid.paid_at) == ("paid", 14990, when)
    assert [each.amount for each in Payment.across_organizations.order_by("id")] == [4990, 10000]
    assert ReminderPlan.across_organizations.get().look_at is not None
    actions = AuditEvent.across_organizations.filter(action="invoice.payment_recorded")
    assert actions.count() == 2
    assert pay(invoice).paid_amount == 14990, "there is nothing left to pay"


@pytest.mark.django_db
def test_payment_that_is_told_of_twice_counts_once(aurora: House) -> None:
    invoice, other = bills.add(aurora, "1"), bills.add(aurora, "2")
    for _told in range(2):
        assert pay(invoice, 100, "E1").paid_amount == 100
    with pytest.raises(payments.PaymentElsewhere):
        pay(other, 100, "E1")
    assert Payment.across_organizations.count() == 1


@pytest.mark.django_db
def test_settled_invoices_take_what_comes(aurora: House) -> None:
    cancelled, disputed = bills.add(aurora, "1"), bills.add(aurora, "2")
    invoices.cancel(aurora.principal(), cancelled)
    with pytest.raises(payments.InvoiceCancelled):
        pay(cancelled)
    invoices.dispute(aurora.principal(), disputed)
    assert pay(disputed, 1).status == "disputed"
    first = pay(disputed)
    assert first.status == "paid"
    more = pay(disputed, 500, paid_at=clock.now() - timedelta(days=1))
    assert (more.status, more.paid_amount, more.paid_at) == ("paid", 15490, first.paid_at)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "body",
    [{"amount": 0}, {"amount": -1}, {"amount": 10**15}, {"paid_at": "2099-01-01T00:00:00Z"},
     {"paid_at": "1999-01-01T00:00:00Z"}, {"external_id": "x" * 121}, {"external_id": ""}],
)  # fmt: skip
def test_what_is_no_payment_is_refused(owner: Api, aurora: House, body: Any) -> None:
    answer = owner.post(f"/v1/invoices/{bills.add(aurora).id}/pay", body)
    assert answer.status_code == 400
    assert not Payment.across_organizations.exists()


@pytest.mark.django_db
def test_payment_waits_no_longer_than_it_may(aurora: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_flight, "PATIENCE_SECONDS", 0.3)
    invoice = bills.add(aurora)
    bills.reminder_at_provider(aurora, invoice)
    began = time.monotonic()
    assert pay(invoice).status == "paid"
    assert time.monotonic() - began >= 0.3
    monkeypatch.setattr(in_flight, "PATIENCE_SECONDS", 10)
    began = time.monotonic()
    pay(bills.add(aurora, "other"))
    assert time.monotonic() - began < 10, "nothing of this one is in flight"


@pytest.mark.django_db
def test_messages_that_took_a_reminders_place_are_waited_for(
    aurora: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(in_flight, "PATIENCE_SECONDS", 10)
    invoice = bills.add(aurora)
    first = bills.reminder_at_provider(aurora, invoice)
    Delivery.across_organizations.filter(message=first).delete()
    second = history.queued(aurora)
    Message.across_organizations.filter(pk=second.pk).update(fallback_of_id=first.pk)
    began = time.monotonic()
    invoices.dispute(aurora.principal(), invoice)
    assert time.monotonic() - began < 10, "it waits in its queue, where the guard will stop it"
    monkeypatch.setattr(in_flight, "PATIENCE_SECONDS", 0.2)
    Delivery.across_organizations.filter(message=second).update(state="sending", lease=second.pk)
    began = time.monotonic()
    pay(invoice)
    assert time.monotonic() - began >= 0.2


@contextmanager
def in_thread(work: Any) -> Iterator[threading.Thread]:
    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield thread
    finally:
        thread.join(20)
    assert not thread.is_alive()


@pytest.mark.django_db(transaction=True)
def test_payment_is_written_once_the_reminder_has_left(aurora: House) -> None:
    """And while it waits it holds nothing: others may work on the invoice."""
    invoice = bills.add(aurora)
    message = bills.reminder_at_provider(aurora, invoice)
    with in_thread(lambda: pay(invoice)) as paying:
        paying.join(0.4)
        assert paying.is_alive()
        assert Invoice.across_organizations.get().status == InvoiceStatus.OPEN
        for _try in range(100):
            with transaction.atomic():
                free = Invoice.across_organizations.select_for_update(skip_locked=True, of=("self",)).first()
                if free is not None:
                    break
            time.sleep(0.01)
        assert free is not None
        Delivery.across_organizations.filter(message=message).delete()
        paying.join(3)
        assert not paying.is_alive()
    assert Invoice.across_organizations.get().status == InvoiceStatus.PAID


@pytest.mark.django_db(transaction=True)
def test_guard_finds_the_row_locked_while_a_payment_is_written(
    aurora: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is claimed after the payment asked what is in flight meets its lock, or the payment itself."""
    invoice = bills.add(aurora)
    asked, go_on = threading.Event(), threading.Event()
    look = in_flight._is_in_flight

    def looked(invoice_id: Any) -> bool:
        found = look(invoice_id)
        asked.set()
        assert go_on.wait(10)
        return found

    monkeypatch.setattr(in_flight, "_is_in_flight", looked)
    with in_thread(lambda: pay(invoice)):
        assert asked.wait(10)
        # As the guard takes it.
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT id FROM invoice WHERE id = %s FOR SHARE SKIP LOCKED", [invoice.id])
            assert cursor.fetchone() is None
        go_on.set()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT status FROM invoice WHERE id = %s FOR SHARE SKIP LOCKED", [invoice.id])
        assert cursor.fetchone() == ("paid",)


@pytest.mark.django_db(transaction=True)
def test_same_payment_told_of_at_the_same_moment_counts_once(aurora: House) -> None:
    invoice, other = bills.add(aurora, "1"), bills.add(aurora, "2")
    refusals: list[Problem] = []

    def told(of: Invoice) -> None:
        try:
            pay(of, 100, "E1")
        except Problem as refusal:
            refusals.append(refusal)

    with in_thread(lambda: told(invoice)), in_thread(lambda: told(invoice)), in_thread(lambda: told(other)):
        pass
    assert Payment.across_organizations.count() == 1
    assert {type(each) for each in refusals} <= {payments.PaymentElsewhere}
    assert 1 <= len(refusals) <= 2
