"""Bills in the admin: seen, settled, imported, by those who may."""

import html

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from apps.accounts.models import Membership, User
from apps.billing import payments
from apps.billing.importing import run
from apps.billing.models import Invoice, InvoiceImport, PaymentSource
from apps.core import clock
from apps.files.models import File
from apps.files.stores.store import Store
from tests.billing import bills
from tests.billing.portfolio import customer, invoice, live_policy, rule, template, turn_clock
from tests.cast import House
from tests.files.bringing import keep
from tests.messaging.desk import open_account

pytestmark = pytest.mark.django_db
LIST = "/admin/billing/invoice/"
IMPORTS = "/admin/billing/invoiceimport/"
TABLE = b"number;customer;phone;amount;due\n7;Ana;11912345601;10,00;31/12/2026\n8;Bia;;10,00;31/12/2026\n"


@pytest.fixture(autouse=True)
def _no_second_factor(settings: Settings) -> None:
    settings.ADMIN_REQUIRES_MFA = False


def browser(member: Membership) -> Client:
    client = Client()
    client.force_login(member.user)
    return client


def text(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def test_list_shows_ones_own_in_ones_language(aurora: House, boreal: House) -> None:
    bills.add(aurora, "ours", amount=123456)
    bills.add(boreal, "theirs")
    client = browser(aurora.viewer)
    page = text(client, LIST)
    assert "ours" in page
    assert "theirs" not in page
    assert "R$1,234.56" in page
    client.cookies["django_language"] = "pt-br"
    assert "R$\xa01.234,56" in text(client, LIST)


@pytest.mark.parametrize(("status", "word"), [("open", "aberta"), ("disputed", "contestada")])
def test_status_is_said_in_ones_language(aurora: House, status: str, word: str) -> None:
    bill = bills.add(aurora, "ours")
    Invoice.across_organizations.filter(pk=bill.pk).update(status=status)
    client = browser(aurora.viewer)
    client.cookies["django_language"] = "pt-br"
    for path in (LIST, f"{LIST}{bill.pk}/change/"):
        page = text(client, path)
        assert word in page
        assert f"('{status}'" not in html.unescape(page)
    assert f">{status}<" not in "".join(text(client, LIST).split())


def test_list_costs_the_same_however_long_it_is(aurora: House) -> None:
    client = browser(aurora.viewer)

    def statements() -> int:
        with CaptureQueriesContext(connection) as queries:
            text(client, LIST)
        return len(queries)

    bills.add(aurora, "0")
    statements()
    few = statements()
    for n in range(1, 6):
        bills.add(aurora, str(n))
    assert statements() == few


def test_invoice_is_found_by_number_status_and_day(aurora: House) -> None:
    overdue = bills.add(aurora, "late-1", due_on=clock.now().date().replace(year=2020, day=1))
    payments.pay(
        bills.add(aurora, "paid-1").id, aurora.organization, None, None, "", aurora.principal().actor
    )  # fmt: skip
    client = browser(aurora.viewer)
    for query, found, not_found in (
        ("?q=late-1", "late-1", "paid-1"),
        ("?status=paid", "paid-1", "late-1"),
        ("?due=overdue", "late-1", "paid-1"),
    ):
        page = text(client, LIST + query)
        assert f">{found}<" in page, query
        assert f">{not_found}<" not in page, query
    assert str(overdue.pk) in text(client, f"{LIST}?q={overdue.pk}")


def test_invoice_is_paid_after_it_is_said_what_that_means(aurora: House) -> None:
    invoice = bills.add(aurora, "1")
    path = f"{LIST}{invoice.pk}/pay/"
    assert browser(aurora.viewer).post(path).status_code in {302, 403}
    client = browser(aurora.agent)
    assert "R$149.90 of Ana" in text(client, path)
    assert Invoice.across_organizations.get().status == "open"
    client.post(path)
    assert Invoice.across_organizations.get().status == "paid"
    assert "R$149.90" in text(client, f"{LIST}{invoice.pk}/change/")
    client.post(f"{LIST}{invoice.pk}/cancel/")
    assert Invoice.across_organizations.get().status == "paid", "that is refused, with a message"


def test_dispute_and_cancellation_go_by_their_pages(aurora: House, boreal: House) -> None:
    invoice = bills.add(aurora, "1")
    client = browser(aurora.agent)
    for verb, status in (("dispute", "disputed"), ("settle", "open"), ("cancel", "cancelled")):
        path = f"{LIST}{invoice.pk}/{verb}/"
        assert "reminded" in text(client, path)
        assert browser(boreal.owner).post(path).status_code == 404
        client.post(path)
        assert Invoice.across_organizations.get().status == status


def test_file_is_imported_and_followed(aurora: House, file_store: Store) -> None:
    client = browser(aurora.agent)
    assert 'enctype="multipart/form-data"' in text(client, f"{IMPORTS}add/")
    answer = client.post(f"{IMPORTS}add/", {"upload": SimpleUploadedFile("contas.csv", TABLE)})
    assert answer.status_code == 302, answer.content
    started = InvoiceImport.across_organizations.get()
    assert answer["Location"] == f"{IMPORTS}{started.pk}/change/"
    assert client.get(answer["Location"])["Refresh"] == "2"
    run.run(started.pk)
    page = client.get(answer["Location"])
    assert "Refresh" not in page
    assert '<progress value="2" max="2"' in page.content.decode()
    assert "Row 3: customer" in page.content.decode()
    assert "contas.csv" in text(client, IMPORTS)
    assert Invoice.across_organizations.get().number == "7"


def test_file_that_was_uploaded_before_is_imported(aurora: House, boreal: House, file_store: Store) -> None:
    ours, theirs = keep(aurora.organization, TABLE, "nossa.csv"), keep(boreal.organization, TABLE, "deles.csv")
    client = browser(aurora.agent)
    page = text(client, f"{IMPORTS}add/")
    assert "nossa.csv" in page
    assert "deles.csv" not in page
    for given in (
        {"known": str(theirs.pk)},
        {},
        {"known": str(ours.pk), "upload": SimpleUploadedFile("x.csv", b"x")},
    ):
        assert client.post(f"{IMPORTS}add/", given).status_code == 200
        assert not InvoiceImport.across_organizations.exists()
    assert client.post(f"{IMPORTS}add/", {"known": str(ours.pk)}).status_code == 302
    assert InvoiceImport.across_organizations.get().file_id == ours.pk


def test_import_is_for_those_who_may(aurora: House, file_store: Store) -> None:
    client = browser(aurora.viewer)
    assert client.post(f"{IMPORTS}add/", {"upload": SimpleUploadedFile("x.csv", TABLE)}).status_code == 403
    assert not File.across_organizations.exists()


def test_whoever_runs_the_installation_says_whose_file_it_is(aurora: House, file_store: Store) -> None:
    client = Client()
    client.force_login(User.objects.create_superuser("root@recado.example", "x"))
    given = {"organization": str(aurora.organization.pk), "upload": SimpleUploadedFile("x.csv", TABLE)}
    assert client.post(f"{IMPORTS}add/", given).status_code == 302
    assert InvoiceImport.across_organizations.get().organization == aurora.organization


def test_secret_of_a_payment_source_is_on_one_page(aurora: House) -> None:
    client = browser(aurora.owner)
    shown = client.post("/admin/billing/paymentsource/add/", {"name": "Banco"})
    source = PaymentSource.across_organizations.get()
    assert source.secret in shown.content.decode()
    assert "no-store" in shown["Cache-Control"]
    path = f"/admin/billing/paymentsource/{source.pk}"
    assert "whsec_" not in text(client, f"{path}/change/")
    rotated = client.post(f"{path}/rotate/").content.decode()
    assert PaymentSource.across_organizations.get().secret in rotated
    assert source.secret not in rotated
    client.post(f"{path}/change/", {"name": "Caixa"})
    assert PaymentSource.across_organizations.get().name == "Caixa"
    client.post(f"{path}/delete/", {"post": "yes"})
    assert not PaymentSource.across_organizations.exists()


def test_what_will_be_sent_is_shown_of_the_invoice_and_of_all_that_its_customer_owes(
    aurora: House, boreal: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    turn_clock(monkeypatch, "2026-03-02")
    template(aurora)
    live_policy(aurora, [open_account(aurora, "sms")], rule(0), most_a_day=2)
    ana = customer(aurora)
    first, _ = invoice(ana, "2026-03-12", "1001"), invoice(ana, "2026-03-20", "1002")
    client = browser(aurora.viewer)
    page = text(client, f"{LIST}{first.pk}/preview/")
    assert "1001 R$" in page
    assert "on the day it is due" in page
    assert "1002" not in page
    assert "1002" in text(client, f"{LIST}{first.pk}/preview/?of=customer")
    assert browser(boreal.owner).get(f"{LIST}{first.pk}/preview/").status_code in {302, 403, 404}


def test_invoice_that_no_policy_speaks_of_says_so(aurora: House) -> None:
    bill = bills.add(aurora, "ours")
    assert "nothing is sent" in text(browser(aurora.viewer), f"{LIST}{bill.pk}/preview/")
