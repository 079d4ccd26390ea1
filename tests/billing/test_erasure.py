"""Invoices of a customer who is erased: what books need stays, and what is still owed."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import AuditEvent
from apps.billing import erasure as invoices_of
from apps.billing import invoices, payments
from apps.billing.models import Invoice, Payment, Reminder
from apps.billing.new_invoice import NewCustomer
from apps.core import clock
from apps.messaging.erasure import erase
from tests.billing import bills
from tests.cast import House, add_channel_account
from tests.messaging import history
from tests.traces import traces_of

pytestmark = pytest.mark.django_db

WORD = "jacaranda"
TELLING = {
    "customer": NewCustomer(name=f"Ana {WORD.title()}", phone=bills.PHONE),
    "payment_url": f"https://pay.example/{WORD}",
    "tags": [WORD],
    "metadata": {"for": WORD},
    "boleto_line": bills.BOLETO,
}


def paid(house: House, number: str) -> Invoice:
    invoice = bills.add(house, number, **TELLING)
    return payments.pay(invoice.id, house.organization, None, None, f"bank-{number}", house.principal().actor)


def test_settled_invoices_keep_what_is_in_books(aurora: House) -> None:
    settled = paid(aurora, "1")
    invoices.cancel(aurora.principal(), bills.add(aurora, "2", **TELLING))
    Invoice.across_organizations.filter(pk=settled.pk).update(pix_code=WORD)
    assert {"invoice.metadata", "invoice.pix_code", "audit_event.changes"} <= traces_of(WORD)
    report = erase(aurora.principal(), settled.contact, "asked for").as_dict()["billing"]
    assert report == {"invoices_kept": 2, "invoices_cleared": 2, "invoices_still_owed": 0, "trail": 2}
    assert traces_of(WORD, bills.PHONE, settled.boleto_line) == set()
    kept = Invoice.across_organizations.get(pk=settled.pk)
    assert (kept.number, kept.amount, kept.paid_amount, kept.status) == ("1", 14990, 14990, "paid")
    assert (kept.contact_id, kept.paid_at) == (settled.contact_id, settled.paid_at)
    assert Payment.across_organizations.get(invoice=kept).external_id == "bank-1"
    assert str(kept.contact) == "[erased]"


def test_story_of_the_money_is_still_told(aurora: House) -> None:
    settled = paid(aurora, "1")
    erase(aurora.principal(), settled.contact, "asked for")
    events = AuditEvent.across_organizations.filter(target_id=settled.pk).order_by("id")
    assert [(event.action, event.target_label) for event in events] == [
        ("invoice.created", "1"),
        ("invoice.payment_recorded", "1"),
    ]
    assert set(events[0].changes) == {"amount", "currency", "due_on"}
    assert events[1].changes["paid_amount"] == [0, 14990]


def test_what_is_owed_stays_and_is_named(aurora: House) -> None:
    owed = bills.add(aurora, "1", **TELLING)
    disputed = bills.add(aurora, "2", **TELLING)
    invoices.dispute(aurora.principal(), disputed)
    report = erase(aurora.principal(), owed.contact, "asked for")
    assert report.as_dict()["billing"]["invoices_still_owed"] == 2
    told = AuditEvent.across_organizations.get(action="contact.erased")
    assert told.changes["billing.invoices_still_owed"] == [None, 2]
    assert Invoice.across_organizations.filter(payment_url=TELLING["payment_url"]).count() == 2
    payments.pay(owed.id, aurora.organization, None, None, "", aurora.principal().actor)
    again = erase(aurora.principal(), owed.contact, "asked for").as_dict()["billing"]
    assert (again["invoices_cleared"], again["invoices_still_owed"]) == (1, 1)


def test_reminder_that_waits_is_not_sent(aurora: House) -> None:
    add_channel_account(aurora)
    invoice = bills.add(aurora)
    message = bills.reminder_at_provider(aurora, invoice, history.queued(aurora))
    with connection.cursor() as cursor:
        cursor.execute("UPDATE delivery SET state = 'waiting', lease = NULL")
    erase(aurora.principal(), invoice.contact, "asked for")
    message.refresh_from_db()
    assert (message.status, message.text) == ("cancelled", "[erased]")
    assert Reminder.across_organizations.get().invoice_id == invoice.pk, "it counts in results"


def test_invoices_of_others_are_left_alone(aurora: House, boreal: House) -> None:
    settled, theirs = paid(aurora, "1"), paid(boreal, "1 of theirs")
    assert settled.contact_id != theirs.contact_id
    assert invoices_of.erase(aurora.organization, theirs.contact_id)["invoices_kept"] == 0
    erase(aurora.principal(), settled.contact, "asked for")
    assert Invoice.across_organizations.get(pk=theirs.pk).metadata == TELLING["metadata"]
    assert "audit_event.changes" in traces_of(WORD)


def test_many_invoices_take_a_bounded_number_of_statements(aurora: House) -> None:
    first = paid(aurora, "first")
    now = clock.now()
    Invoice.across_organizations.bulk_create(
        Invoice(
            organization=aurora.organization, number=f"n{n}", contact=first.contact, amount=100, paid_amount=100,
            due_on=now.date(), status="paid", paid_at=now, metadata={"for": WORD}, created_at=now, changed_at=now,
        )
        for n in range(1_200)
    )  # fmt: skip
    with CaptureQueriesContext(connection) as asked:
        done = invoices_of.erase(aurora.organization, first.contact_id)
    assert done["invoices_cleared"] == 1_201
    assert len(asked) < 40
    assert invoices_of.erase(aurora.organization, first.contact_id)["invoices_cleared"] == 0
