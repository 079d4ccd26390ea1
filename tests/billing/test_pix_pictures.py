"""The picture of a Pix code, by a link that only we can make."""

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from apps.billing import pix
from apps.billing.models import Invoice
from apps.billing.pix_links import picture_url, read_token
from apps.billing.planner import plan
from apps.messaging.models import Message
from apps.messaging.wording.variables import Variable, VariableType
from tests.billing.portfolio import customer, invoice, live_policy, rule, template, turn_clock
from tests.cast import House
from tests.messaging.desk import open_account

PIX = pix.build("padaria@aurora.example", "Padaria Aurora", "Sao Paulo", 14990, "1001")


def path_of(url: str) -> str:
    return "/" + url.split("/", 3)[3]


@pytest.fixture
def bill(aurora: House) -> Invoice:
    return invoice(customer(aurora), "2026-03-09", pix_code=PIX)


def test_picture_is_shown_to_whoever_has_the_link(bill: Invoice) -> None:
    answer = Client().get(path_of(picture_url(bill.id)))
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/png")
    assert answer.content.startswith(b"\x89PNG")


@pytest.mark.parametrize("changed", [{"pix_code": ""}, {"status": "cancelled"}, {"paid_amount": 90}])
def test_picture_is_gone_with_what_it_is_for(bill: Invoice, changed: dict[str, object]) -> None:
    Invoice.across_organizations.filter(pk=bill.pk).update(**changed)
    assert Client().get(path_of(picture_url(bill.id))).status_code == 404


@pytest.mark.parametrize("token", ["x", "~", "AAAA~AAAA", "é", "a" * 2000])
def test_link_of_others_leads_nowhere(db: None, token: str) -> None:
    assert read_token(token) is None
    assert Client().get(reverse("pix_picture", args=[token])).status_code == 404


def test_template_shows_the_picture(aurora: House, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    settings.PUBLIC_URL = "https://recado.example"
    time = turn_clock(monkeypatch, "2026-03-02")
    picture = Variable("pix_picture_url", VariableType.URL, "https://example.com/pix.png")
    media = {"kind": "image", "url": "{{ pix_picture_url }}"}
    template(aurora, "pix", body="Pix", variables=(picture,), content={"media": media})
    live_policy(aurora, [open_account(aurora, "whatsapp_cloud")], rule(-3, template="pix"))
    bill = invoice(customer(aurora), "2026-03-09", pix_code=PIX)
    time.is_("2026-03-06")
    plan.run()
    assert Message.across_organizations.get().content["media"]["url"] == picture_url(bill.id)
