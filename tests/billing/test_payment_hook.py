"""Payments told of by those who may: signed, fresh, and harmless when told again."""

from typing import Any

import orjson
import pytest
from django.test import Client

from apps.accounts.models import AuditEvent
from apps.billing import payment_sources
from apps.billing.api import payment_hook
from apps.billing.models import Invoice, Payment, PaymentSource
from apps.core import clock, standard_webhooks
from tests.billing import bills
from tests.cast import Api, House

pytestmark = pytest.mark.django_db


class Bank:
    def __init__(self, house: House) -> None:
        self.source, self.secret = payment_sources.add(house.principal(), name="Banco")

    def call(self, body: Any, webhook_id: str = "msg_1", **changed: Any) -> Any:
        written = body if isinstance(body, bytes) else orjson.dumps(body)
        at = int(clock.now().timestamp()) + changed.pop("seconds", 0)
        headers = standard_webhooks.headers([changed.pop("secret", self.secret)], webhook_id, at, written)
        sent = changed.pop("sent", written)
        path = f"/v1/hooks/payments/{changed.pop('source_id', self.source.pk)}"
        client = Client(raise_request_exception=False)
        return client.post(path, sent, "application/json", headers=headers | changed)


@pytest.fixture
def bank(aurora: House) -> Bank:
    return Bank(aurora)


def results(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [each["result"] for each in answer.json()["payments"]]


def test_payment_is_written_down(bank: Bank, aurora: House) -> None:
    invoice = bills.add(aurora, "1001")
    body = {"number": "1001", "amount": 990, "paid_at": "2026-11-02T10:00:00-03:00", "external_id": "E1"}
    assert results(bank.call(body)) == ["partly_paid"]
    assert results(bank.call({"invoice_id": str(invoice.id)}, "msg_2")) == ["paid"]
    assert [each.external_id for each in Payment.across_organizations.order_by("id")] == ["E1", "msg_2"]
    event = AuditEvent.across_organizations.filter(action="invoice.payment_recorded").first()
    assert event is not None
    assert (event.actor_label, event.actor_id) == ("Banco", bank.source.pk)


def test_replayed_call_counts_once(bank: Bank, aurora: House) -> None:
    bills.add(aurora, "1001")
    for _time in range(3):
        assert results(bank.call({"number": "1001", "amount": 100})) == ["partly_paid"]
    assert Payment.across_organizations.get().amount == 100


def test_many_are_told_of_together(bank: Bank, aurora: House, boreal: House) -> None:
    bills.add(aurora, "1")
    bills.add(aurora, "2")
    theirs = bills.add(boreal, "3")
    told = [
        {"number": "1"},
        {"number": "nobody's"},
        {"number": "2", "amount": 0},
        {"number": "3"},
        {"invoice_id": str(theirs.id)},
        {"number": "2", "amount": 5},
        {"number": "2", "colour": "red"},
        {"number": "2", "invoice_id": str(theirs.id)},
        {"number": "2", "paid_at": "2099-01-01T00:00:00Z"},
        7,
    ]
    answer = bank.call({"payments": told})
    assert results(answer) == [
        "paid", "unknown_invoice", "refused", "unknown_invoice", "unknown_invoice", "partly_paid",
        "refused", "refused", "refused", "refused",
    ]  # fmt: skip
    errors = [each["errors"][0]["pointer"] for each in answer.json()["payments"] if each["result"] == "refused"]
    assert errors == ["/amount", "/colour", "/number", "/paid_at", ""]
    theirs.refresh_from_db()
    assert theirs.status == "open"
    assert Payment.across_organizations.count() == 2


def test_call_that_was_not_signed_by_the_source_is_refused(bank: Bank, aurora: House, boreal: House) -> None:
    bills.add(aurora, "1001")
    told = {"number": "1001"}
    other = standard_webhooks.new_secret()
    wrong: list[dict[str, Any]] = [
        {"secret": other},
        {"secret": Bank(boreal).secret},
        {"sent": b'{"number":"1002"}'},
        {"seconds": -301},
        {"seconds": 301},
        {"webhook-signature": ""},
        {"webhook-signature": "v1,"},
        {"webhook-timestamp": "now"},
        {"webhook-timestamp": "²"},
        {"webhook-id": "msg_9"},
        {"webhook-id": ""},
    ]
    for changed in wrong:
        answer = bank.call(told, **changed)
        assert (answer.status_code, answer.json()["code"]) == (401, "bad_signature"), changed
    assert not Payment.across_organizations.exists()
    assert results(bank.call(told, seconds=-290)) == ["paid"]


def test_any_of_several_signatures_will_do(bank: Bank, aurora: House) -> None:
    bills.add(aurora, "1001")
    body = orjson.dumps({"number": "1001"})
    at = int(clock.now().timestamp())
    both = standard_webhooks.headers([standard_webhooks.new_secret(), bank.secret], "msg_1", at, body)
    assert results(bank.call(body, **{"webhook-signature": both["webhook-signature"]})) == ["paid"]


def test_unknown_source_is_not_found(bank: Bank, aurora: House) -> None:
    answer = bank.call({"number": "1"}, source_id="0199f3a2-7c1e-7d3b-9a54-2f6c8e1b4d70")
    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "malformed_json"),
        (b"[]", "wrong_type"),
        (b'{"payments": []}', "min_length"),
        (b'{"payments": {}}', "wrong_type"),
        (b'{"payments": [' + b",".join([b"{}"] * 101) + b"]}", "max_length"),
        (b'{"payments": [{}], "more": 1}', "unknown_field"),
        (b"{}", "required"),
    ],
)
def test_signed_nonsense_is_refused(bank: Bank, body: bytes, code: str) -> None:
    answer = bank.call(body)
    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_body_is_read_up_to_a_limit(bank: Bank) -> None:
    assert bank.call(b" " * (payment_hook.MOST_BYTES + 1)).status_code == 413


def test_only_post_is_answered(bank: Bank) -> None:
    answer = Client().get(f"/v1/hooks/payments/{bank.source.pk}")
    assert (answer.status_code, answer["Allow"]) == (405, "POST")


def test_callers_are_limited(bank: Bank, aurora: House, settings: Any) -> None:
    bills.add(aurora, "1001")
    settings.API_RATE_PER_SECOND, settings.API_BURST = 0.01, 1
    assert results(bank.call({"number": "1001"})) == ["paid"]
    answer = bank.call({"number": "1001"})
    assert answer.status_code == 429
    assert int(answer["Retry-After"]) > 0


def test_secret_is_shown_once_and_replaced(owner: Api, aurora: House) -> None:
    added = owner.post("/v1/payment-sources", {"name": "Banco"})
    assert added.status_code == 201
    assert added["Cache-Control"] == "no-store"
    body = added.json()
    assert body["url"].endswith(f"/v1/hooks/payments/{body['id']}")
    assert standard_webhooks.is_secret(body["secret"])
    path = f"/v1/payment-sources/{body['id']}"
    assert "secret" not in owner.get(path).json()
    assert "whsec_" not in owner.get("/v1/payment-sources").content.decode()
    assert owner.post("/v1/payment-sources", {"name": "Banco"}).json()["code"] == "name_taken"
    assert owner.patch(path, {"name": "Caixa"}).json()["name"] == "Caixa"
    rotated = owner.post(f"{path}/rotate-secret").json()
    assert rotated["secret"] != body["secret"]
    assert PaymentSource.across_organizations.get().secret == rotated["secret"]
    assert owner.delete(path).status_code == 204
    assert not PaymentSource.across_organizations.exists()


def test_sources_are_not_without_end(owner: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payment_sources, "MOST_OF_ONE_ORGANIZATION", 1)
    assert owner.post("/v1/payment-sources", {"name": "1"}).status_code == 201
    assert owner.post("/v1/payment-sources", {"name": "2"}).json()["code"] == "too_many_payment_sources"


def test_invoice_knows_when_it_was_paid(bank: Bank, aurora: House) -> None:
    bills.add(aurora, "1001")
    bank.call({"number": "1001", "paid_at": "2026-11-02T10:00:00-03:00"})
    paid_at = Invoice.across_organizations.get().paid_at
    assert paid_at is not None
    assert paid_at.isoformat() == "2026-11-02T13:00:00+00:00"
