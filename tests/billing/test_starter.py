"""What an organization begins with says the right thing, in both languages, of one invoice and of several."""

import pytest

from apps.billing import policies, starter
from apps.billing.planner import plan
from apps.messaging.models import Message, Template
from tests.billing.portfolio import customer, invoice, texts, turn_clock
from tests.cast import House
from tests.messaging.desk import open_account


@pytest.mark.parametrize(
    ("language", "opening", "stop"),
    [
        ("pt-BR", "Olá, Ana! Sua fatura 1001, de R$ 149,90, vence em 9 de março de 2026.", "não receber mais"),
        ("en", "Hello Ana! Your bill 1001 of R$149.90 is due on March 9, 2026.", "get no more reminders"),
    ],
)
def test_usual_reminder_reads_well(
    aurora: House, monkeypatch: pytest.MonkeyPatch, language: str, opening: str, stop: str
) -> None:
    time = turn_clock(monkeypatch, "2026-03-02")
    email = open_account(aurora, "email")
    policies.go_live(aurora.principal(), starter.add(aurora.principal(), [email.id]))
    ana = customer(aurora, language=language)
    ana.addresses.create(organization=aurora.organization, kind="email", value="ana@example.com")
    invoice(ana, "2026-03-09", payment_url="https://pay.example/1001")
    time.is_("2026-03-06")
    plan.run()
    (text,) = texts(aurora)
    said = text.replace("\xa0", " ")
    assert said.startswith(opening)
    _, pay, end = said.splitlines()
    assert pay.endswith(": https://pay.example/1001")
    assert stop in end
    assert "Pix" not in said


def test_several_invoices_are_listed(aurora: House, monkeypatch: pytest.MonkeyPatch) -> None:
    time = turn_clock(monkeypatch, "2026-03-02")
    email = open_account(aurora, "email")
    policies.go_live(aurora.principal(), starter.add(aurora.principal(), [email.id]))
    ana = customer(aurora, language="pt-BR")
    ana.addresses.create(organization=aurora.organization, kind="email", value="ana@example.com")
    for number in ("1001", "1002"):
        invoice(ana, "2026-03-09", number, payment_url=f"https://pay.example/{number}")
    time.is_("2026-03-06")
    plan.run()
    (text,) = texts(aurora)
    lines = text.replace("\xa0", " ").splitlines()
    assert lines[0] == "Olá, Ana! Você tem 2 faturas a vencer, no total de R$ 299,80:"
    assert lines[1:3] == [
        "• 1001: R$ 149,90, vence em 09/03/2026 https://pay.example/1001",
        "• 1002: R$ 149,90, vence em 09/03/2026 https://pay.example/1002",
    ]
    assert len(lines) == 4


def test_text_message_is_short(aurora: House, monkeypatch: pytest.MonkeyPatch) -> None:
    time = turn_clock(monkeypatch, "2026-03-02")
    sms = open_account(aurora, "sms")
    policies.go_live(aurora.principal(), starter.add(aurora.principal(), [sms.id]))
    invoice(customer(aurora), "2026-03-09")
    time.is_("2026-03-06")
    plan.run()
    (text,) = texts(aurora)
    assert text.replace("\xa0", " ").startswith("Padaria Aurora: fatura 1001, R$ 149,90, venc. 09/03/2026. Sair: ")


def test_whatsapp_gets_no_empty_words(aurora: House, monkeypatch: pytest.MonkeyPatch) -> None:
    time = turn_clock(monkeypatch, "2026-03-02")
    whatsapp = open_account(aurora, "whatsapp_cloud")
    policies.go_live(aurora.principal(), starter.add(aurora.principal(), [whatsapp.id]))
    invoice(customer(aurora, name=""), "2026-03-09")
    time.is_("2026-03-06")
    plan.run()
    template = Message.across_organizations.get().content["template"]
    assert template["name"] == "bill_coming"
    (body,) = template["components"]
    said = [parameter["text"].replace("\xa0", " ") for parameter in body["parameters"]]
    assert said == ["Padaria Aurora", "1001", "R$ 149,90", "9 de março de 2026"]


def test_templates_are_added_once(aurora: House) -> None:
    assert len(starter.add_templates(aurora.principal())) == 4
    assert starter.add_templates(aurora.principal()) == []
    assert Template.objects.for_organization(aurora.organization).count() == 4
