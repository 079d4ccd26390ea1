"""Invoices over REST: brought once however often, changed, found, and refused with a reason."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any
from uuid import uuid4 as any_id  # noqa: TID251 - one that nothing has

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import AuditEvent
from apps.billing import invoices, pix
from apps.billing.models import Invoice, ReminderPlan
from apps.billing.new_invoice import NewCustomer, NewInvoice, Saved
from apps.core import clock
from apps.messaging import contacts
from apps.messaging.models import Contact, ContactAddress
from tests.billing import bills
from tests.billing.bills import BOLETO, PHONE, wanted
from tests.cast import Api, House
from tests.messaging import history

pytestmark = pytest.mark.django_db


def bring(owner: Api, number: str = "1001", **values: Any) -> Any:
    return owner.post("/v1/invoices", wanted(number, **values))


def codes(answer: Any) -> list[tuple[str, str]]:
    assert answer.status_code == 400, answer.content
    return [(error["pointer"], error["code"]) for error in answer.json()["errors"]]


def plan() -> ReminderPlan:
    return ReminderPlan.across_organizations.get()


def test_invoice_is_created_known_and_changed(owner: Api) -> None:
    created = bring(owner)
    assert created.status_code == 201
    assert created.json()["status"] == "open"
    assert created.json()["currency"] == "BRL"
    assert created.json()["amount_due"] == 14990
    again = bring(owner)
    assert again.status_code == 200
    assert again.json() == created.json()
    changed = bring(owner, due_on="2026-12-20", tags=["gold"])
    assert changed.status_code == 200
    assert changed.json()["due_on"] == "2026-12-20"
    assert bring(owner).json()["tags"] == ["gold"], "what is left out stays"
    assert Invoice.across_organizations.count() == Contact.across_organizations.count() == 1
    events = AuditEvent.across_organizations.filter(target_kind="invoice").order_by("id")
    assert [event.action for event in events] == ["invoice.created", "invoice.changed", "invoice.changed"]
    assert events[1].changes["tags"] == [[], ["gold"]]


def test_planner_thinks_anew_of_what_changed_only(owner: Api) -> None:
    bring(owner)
    assert plan().look_at is not None
    ReminderPlan.across_organizations.update(look_at=None)
    bring(owner)
    assert plan().look_at is None
    bring(owner, amount=20000)
    assert plan().look_at is not None
    ReminderPlan.across_organizations.update(look_at=None)
    bring(owner, amount=20000, customer={"phone": "+5511912345602"})
    assert plan().look_at is not None
    assert plan().contact_id == Invoice.across_organizations.get().contact_id


def test_customer_is_found_by_address_as_people_write_it(owner: Api, aurora: House) -> None:
    known = contacts.add(aurora.principal(), name="Ana Lima", ways=[contacts.way("phone", PHONE)])
    answer = bring(owner, customer={"name": "A. Lima", "phone": "(11) 91234-5601", "email": "ANA@Exemplo.com",
                                    "language": "pt_BR"})  # fmt: skip
    assert answer.json()["contact_id"] == str(known.pk)
    known.refresh_from_db()
    assert (known.name, known.language) == ("Ana Lima", "pt-br")
    assert set(known.addresses.values_list("value", flat=True)) == {PHONE, "ANA@exemplo.com"}
    other = bring(owner, "1002", customer={"email": "ANA@exemplo.com"})
    assert other.json()["contact_id"] == str(known.pk)


def test_new_customers_take_along_the_conversations_at_their_address(owner: Api, aurora: House) -> None:
    conversation = history.conversation(aurora)
    ContactAddress.across_organizations.all().delete()
    answer = bring(owner, customer={"name": "Bia", "phone": conversation.address})
    conversation.refresh_from_db()
    assert answer.json()["contact_id"] == str(conversation.contact_id)


def test_one_person_is_not_given_addresses_without_end(owner: Api, aurora: House) -> None:
    rows = [wanted(f"{n}", customer={"email": "ana@exemplo.com", "phone": f"+55119{n:08d}"}) for n in range(40)]
    answer = owner.post("/v1/invoices/batch", {"invoices": rows})
    assert len(answer.json()["saved"]) == 40
    assert ContactAddress.across_organizations.count() == contacts.MOST_ADDRESSES


def test_somebody_elses_contact_is_unknown(owner: Api, aurora: House, boreal: House) -> None:
    theirs = contacts.add(boreal.principal(), name="Theirs", ways=[contacts.way("phone", PHONE)])
    body = wanted()
    del body["customer"]
    for contact_id in (theirs.pk, any_id()):
        answer = owner.post("/v1/invoices", body | {"contact_id": str(contact_id)})
        assert codes(answer) == [("/contact_id", "unknown_contact")]
    ours = bring(owner).json()["contact_id"]
    assert ours != str(theirs.pk)


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("number", " ", "blank"),
        ("number", "x" * 81, "max_length"),
        ("amount", 0, "out_of_range"),
        ("amount", 10**15, "out_of_range"),
        ("amount", 1.5, "wrong_type"),
        ("amount", True, "wrong_type"),
        ("currency", "XXL", "invalid"),
        ("due_on", "1999-12-31", "out_of_range"),
        ("due_on", "31/12/2026", "invalid"),
        ("payment_url", "javascript:alert(1)", "invalid"),
        ("payment_url", "https://", "invalid"),
        ("boleto_line", BOLETO.replace("9 7", "8 7"), "bad_boleto"),
        ("pix_code", "00020126", "bad_pix"),
        ("tags", ["x" * 41], "invalid"),
        ("tags", [str(n) for n in range(21)], "max_length"),
        ("metadata", {"x": "y" * 17000}, "too_large"),
        ("metadata", [], "wrong_type"),
        ("customer", {"phone": "12"}, "bad_address"),
        ("customer", {"name": "Ana"}, "required"),
        ("customer", {"phone": PHONE, "time_zone": "Mars/Phobos"}, "invalid"),
        ("colour", "red", "unknown_field"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(owner: Api, field: str, value: Any, code: str) -> None:
    assert code in [found for _, found in codes(bring(owner, **{"number": "1", field: value}))]
    assert not Invoice.across_organizations.exists()


def test_boleto_line_is_kept_as_digits(owner: Api) -> None:
    answer = bring(owner, boleto_line=BOLETO)
    assert answer.json()["boleto_line"] == "".join(filter(str.isdigit, BOLETO))


def test_pix_code_must_collect_what_is_due(owner: Api) -> None:
    right = pix.build("ana@aurora.example", "Padaria Aurora", "Sao Paulo", 14990, "F1001")
    assert bring(owner, pix_code=right).status_code == 201
    wrong = pix.build("ana@aurora.example", "Padaria Aurora", "Sao Paulo", 1, "F1001")
    assert codes(bring(owner, pix_code=wrong)) == [("/pix_code", "pix_amount_differs")]
    assert codes(bring(owner, amount=15000)) == [("/pix_code", "pix_amount_differs")]
    free = pix.build("ana@aurora.example", "Padaria Aurora", "Sao Paulo", None, "F1001")
    assert bring(owner, amount=15000, pix_code=free).json()["amount"] == 15000


def test_pix_code_is_shown_as_a_picture(owner: Api, aurora: House, boreal: House) -> None:
    code = pix.build("ana@aurora.example", "Padaria Aurora", "Sao Paulo", 14990, "F1001")
    path = f"/v1/invoices/{bring(owner, pix_code=code).json()['id']}/pix.png"
    answer = owner.get(path)
    assert answer.status_code == 200
    assert answer.content.startswith(b"\x89PNG")
    assert answer["Content-Type"] == "image/png"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in answer["Cache-Control"]
    without = owner.get(f"/v1/invoices/{bills.add(aurora, 'plain').id}/pix.png")
    assert (without.status_code, without.json()["code"]) == (404, "no_pix_code")


def test_amount_of_a_settled_invoice_stays(owner: Api, aurora: House) -> None:
    invoice = bills.add(aurora, "1001")
    path = f"/v1/invoices/{invoice.id}"
    assert owner.post(f"{path}/pay", {"amount": 4990}).json()["status"] == "partly_paid"
    refused = owner.patch(path, {"amount": 4000})
    assert codes(refused) == [("/amount", "partly_paid")]
    assert owner.post(f"{path}/cancel").json()["status"] == "cancelled"
    refused = owner.patch(path, {"amount": 20000})
    assert (refused.status_code, refused.json()["code"]) == (409, "invoice_settled")
    assert owner.patch(path, {"tags": ["lost"]}).json()["tags"] == ["lost"]
    batch = owner.post("/v1/invoices/batch", {"invoices": [wanted(amount=20000)]}).json()
    assert batch["refused"][0]["errors"][0]["code"] == "invoice_settled"


def test_dispute_ends_where_it_began(owner: Api, aurora: House) -> None:
    path = f"/v1/invoices/{bills.add(aurora).id}"
    owner.post(f"{path}/pay", {"amount": 1})
    for _twice in range(2):
        assert owner.post(f"{path}/dispute").json()["status"] == "disputed"
    for _twice in range(2):
        assert owner.post(f"{path}/settle").json()["status"] == "partly_paid"
    owner.post(f"{path}/pay")
    for verb in ("dispute", "cancel"):
        assert owner.post(f"{path}/{verb}").json()["code"] == "invoice_settled"
    assert owner.post(f"{path}/settle").json()["code"] == "invoice_not_disputed"


def test_change_is_of_what_is_named(owner: Api, aurora: House) -> None:
    invoice = bills.add(aurora, tags=["gold"])
    ReminderPlan.across_organizations.update(look_at=None)
    answer = owner.patch(f"/v1/invoices/{invoice.id}", {"due_on": "2027-01-02"})
    assert (answer.json()["due_on"], answer.json()["tags"]) == ("2027-01-02", ["gold"])
    assert plan().look_at is not None
    both = {"contact_id": str(invoice.contact_id), "customer": {"phone": PHONE}}
    assert codes(owner.patch(f"/v1/invoices/{invoice.id}", both)) == [("/customer", "conflicting")]
    assert codes(owner.patch(f"/v1/invoices/{invoice.id}", {"number": "2"})) == [("/number", "unknown_field")]


def test_batch_names_what_it_refuses(owner: Api) -> None:
    rows = [wanted(f"{n}") for n in range(6)]
    rows[1]["amount"] = -1
    rows[3]["customer"] = {"phone": "nobody"}
    rows[4] = wanted("0")
    answer = owner.post("/v1/invoices/batch", {"invoices": rows})
    assert answer.status_code == 200
    body = answer.json()
    assert [(each["index"], each["outcome"]) for each in body["saved"]] == [
        (0, "created"), (2, "created"), (5, "created"),
    ]  # fmt: skip
    assert [(each["errors"][0]["pointer"], each["errors"][0]["code"]) for each in body["refused"]] == [
        ("/invoices/1/amount", "out_of_range"),
        ("/invoices/3/customer/phone", "bad_address"),
        ("/invoices/4/number", "repeated"),
    ]


def test_thousand_cost_as_many_statements_as_one(owner: Api, aurora: House) -> None:
    def statements(count: int, amount: int) -> int:
        rows = [wanted(f"{count} {n}", amount=amount, customer={"phone": f"+55119{n:08d}", "name": "A"})
                for n in range(count)]  # fmt: skip
        with CaptureQueriesContext(connection) as queries:
            answer = owner.post("/v1/invoices/batch", {"invoices": rows})
        assert len(answer.json()["saved"]) == count
        return len(queries)

    statements(2, 1)  # so that some of the people of both batches are known
    began = clock.now()
    assert statements(3, 1) == statements(1000, 1)
    assert statements(3, 2) == statements(1000, 2)
    assert (clock.now() - began).total_seconds() < 10
    assert ReminderPlan.across_organizations.count() == 1005


def test_another_transaction_that_adds_the_same_is_not_an_error(
    aurora: House, owner: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between our look and our writing, somebody else brings the same invoice of the same new customer."""
    save: Any = invoices._save
    tries: list[int] = []

    def overtaken(*given: Any) -> Any:
        tries.append(1)
        if len(tries) == 1:
            # What the database would say of it.
            (saved,) = save(*given)
            Invoice.across_organizations.create(
                organization=aurora.organization, number=saved.invoice.number,
                contact_id=saved.invoice.contact_id, amount=1, due_on="2026-01-01",
                created_at=clock.now(), changed_at=clock.now(),
            )  # fmt: skip
        return save(*given)

    monkeypatch.setattr(invoices, "_save", overtaken)
    assert bring(owner).status_code == 201
    assert len(tries) == 2
    assert Invoice.across_organizations.count() == 1


def test_list_is_narrowed_down(owner: Api, aurora: House, boreal: House) -> None:
    bills.add(boreal, "theirs")
    first = bills.add(aurora, "A 1", tags=["gold", "sul"])
    second = bills.add(aurora, "A 2", due_on=clock.now().date())
    invoices.cancel(aurora.principal(), second)

    def found(query: str) -> list[str]:
        answer = owner.get(f"/v1/invoices?{query}")
        assert answer.status_code == 200, answer.content
        return [each["number"] for each in answer.json()["data"]]

    assert found("") == ["A 2", "A 1"]
    assert found("number=A%201") == ["A 1"]
    assert found("status=cancelled") == ["A 2"]
    assert found("tag=gold") == ["A 1"]
    assert found(f"contact_id={first.contact_id}&status=open") == ["A 1"]
    assert found("due_from=2026-12-10&due_to=2026-12-10") == ["A 1"]
    assert owner.get("/v1/invoices?colour=red").status_code == 400
    page = owner.get("/v1/invoices?limit=1").json()
    assert page["data"][0]["number"] == "A 2"
    assert found(page["next"].partition("?")[2]) == ["A 1"]


@pytest.mark.django_db(transaction=True)
def test_two_who_bring_the_same_at_once_bring_it_once(aurora: House) -> None:
    """In either order, with the same new people: neither waits for the other for ever, and nobody is doubled."""
    wishes = [
        NewInvoice(
            number=f"{n}", amount=100 + n, due_on=date(2026, 12, 1),
            customer=NewCustomer(phone=f"+55119{n % 50:08d}", email=f"{n % 50}@exemplo.com"),
        )
        for n in range(100)
    ]  # fmt: skip

    def bring_all(wanted: list[NewInvoice]) -> list[str]:
        try:
            saved = invoices.save_many(aurora.principal(), wanted)
        finally:
            connection.close()
        return [each.outcome if isinstance(each, Saved) else "refused" for each in saved]

    with ThreadPoolExecutor(3) as people:
        outcomes = list(people.map(bring_all, [wishes, wishes[::-1], wishes[50:] + wishes[:50]]))
    flat = Counter(outcome for each in outcomes for outcome in each)
    assert flat == {"created": 100, "unchanged": 200}
    assert Invoice.across_organizations.count() == ReminderPlan.across_organizations.count() == 100
    assert Contact.across_organizations.count() == 50
    assert ContactAddress.across_organizations.count() == 100
