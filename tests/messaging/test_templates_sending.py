"""Sending by template: what is said, in which language, on which channel, and what is refused."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.channels.models import ChannelAccount
from apps.core import clock
from apps.messaging.consent.links import read_token
from apps.messaging.engine.accept import accept
from apps.messaging.engine.claim import claim
from apps.messaging.engine.guard import Cleared, clear
from apps.messaging.engine.new_message import Accepted, Answer, NewMessage, Refused, WantedTemplate
from apps.messaging.engine.outcome import Outcome
from apps.messaging.models import Contact, Conversation, Message
from apps.messaging.wording import versions
from apps.messaging.wording.variables import Variable, VariableType
from tests.cast import House
from tests.messaging.desk import ANA, Desk, open_account
from tests.messaging.templates import GIVEN, VARIABLES, in_english, in_portuguese, published, written

pytestmark = pytest.mark.django_db


def by(name: str = "bill_due", **values: Any) -> WantedTemplate:
    return WantedTemplate(name, **{"variables": GIVEN} | values)


def ask(house: House, account: ChannelAccount, *templates: WantedTemplate, **values: Any) -> list[Answer]:
    to = {"to": ANA} | values
    return accept(
        house.organization, [NewMessage(account_id=account.id, template=each, **to) for each in templates]
    )


def said(answer: Answer) -> str:
    assert isinstance(answer, Accepted), answer
    return answer.content.text


def refusal(answer: Answer) -> tuple[str, str]:
    assert isinstance(answer, Refused), answer
    assert answer.detail
    return answer.field, answer.code


@pytest.fixture
def instagram(aurora: House) -> ChannelAccount:
    return open_account(aurora, "instagram")


def test_message_says_what_its_template_says(aurora: House, account: ChannelAccount) -> None:
    template = published(aurora, category="billing").template
    (answer,) = ask(aurora, account, by())
    assert said(answer) == "Hello Bia, R$1,149.90 is due on April 5, 2026."
    message = Message.objects.for_organization(aurora.organization).get()
    assert (message.text, message.category, message.template_id) == (said(answer), "billing", template.pk)
    assert message.content == {}  # WhatsApp knows no subject


@pytest.mark.parametrize(
    ("wanted", "persons", "expected"),
    [
        ("", "", "Hello"),  # the first text
        ("", "pt-br", "Olá"),
        ("", "pt", "Olá"),
        ("", "pt-PT", "Olá"),
        ("", "de", "Hello"),
        ("en", "pt-BR", "Hello"),
        ("en-GB", "pt-BR", "Hello"),
        ("fr", "pt-BR", "Olá"),
    ],
)
def test_language_is_the_wanted_one_or_the_persons_or_the_first(
    aurora: House, account: ChannelAccount, wanted: str, persons: str, expected: str
) -> None:
    published(aurora)
    ask(aurora, account, by())
    Contact.objects.for_organization(aurora.organization).update(language=persons)
    (answer,) = ask(aurora, account, by(language=wanted))
    assert said(answer).startswith(expected)


def test_moments_are_told_in_the_persons_time_zone(aurora: House, account: ChannelAccount) -> None:
    starts_at = Variable("starts_at", VariableType.DATETIME, "2026-03-01T14:30:00-03:00")
    published(aurora, in_portuguese(body="{{ starts_at|time }}"), variables=[starts_at])
    given = {"starts_at": "2026-03-01T14:30:00-03:00"}
    (answer,) = ask(aurora, account, by(variables=given))
    assert said(answer) == "14:30"
    for zone, expected in (("America/Manaus", "13:30"), ("America", "14:30"), ("Nowhere/At_All", "14:30")):
        Contact.objects.for_organization(aurora.organization).update(time_zone=zone)
        assert said(ask(aurora, account, by(variables=given))[0]) == expected


def test_every_template_knows_the_house_and_the_way_out(aurora: House, account: ChannelAccount) -> None:
    text = in_english(subject="", body="{{ organization }}: {{ preferences_url }}")
    published(aurora, text, variables=[], category="billing")
    (answer,) = ask(aurora, account, by(variables={}))
    house, url = said(answer).split(": ")
    contact = Contact.objects.for_organization(aurora.organization).get()
    assert (house, read_token(url.rpartition("/")[2])) == ("Padaria Aurora", (contact.id, "billing"))


def test_what_is_wrong_with_a_template_is_refused_and_named(aurora: House, boreal: House, account: Any) -> None:
    published(aurora)
    written(aurora, name="draft")
    gone = published(aurora, name="gone").template
    versions.archive(aurora.principal(), gone)
    published(boreal, name="theirs")
    versions.draft(aurora.principal(), published(aurora, name="two").template, variables=[], texts=[])
    expected = [
        (by("nobody"), ("template/name", "unknown_template")),
        (by("theirs"), ("template/name", "unknown_template")),
        (by("gone"), ("template/name", "unknown_template")),
        (by("draft"), ("template/name", "not_published")),
        (by("draft", version=1), ("template/version", "unknown_version")),
        (by("two", version=2), ("template/version", "unknown_version")),
        (by("two", version=7), ("template/version", "unknown_version")),
        (by(variables={}), ("template/variables/name", "missing_variable")),
        (by(variables=GIVEN | {"nam": "x"}), ("template/variables/nam", "unknown_variable")),
        (by(variables=GIVEN | {"due_on": "tomorrow"}), ("template/variables/due_on", "invalid")),
        (by(variables=GIVEN | {"name": "x" * 70_000}), ("template", "not_rendered")),
        (by(variables=GIVEN | {"name": "x" * 4_097}), ("text", "too_long")),
    ]  # fmt: skip
    answers = ask(aurora, account, *[template for template, _ in expected], by())
    assert [refusal(answer) for answer in answers[:-1]] == [wrong for _, wrong in expected]
    assert isinstance(answers[-1], Accepted)


def test_version_that_is_named_is_sent(aurora: House, account: ChannelAccount) -> None:
    first = published(aurora)
    second = versions.draft(
        aurora.principal(), first.template, variables=[], texts=[in_english(body="Second", subject="")]
    )
    versions.publish(aurora.principal(), second)
    answers = ask(aurora, account, by(version=1), by(variables={}), by(version=2, variables={}))
    assert [said(answer)[:6] for answer in answers] == ["Hello ", "Second", "Second"]
    versions.publish(aurora.principal(), first)
    assert said(ask(aurora, account, by())[0])[:6] == "Hello "


def test_channel_with_templates_gets_its_own(aurora: House, account: ChannelAccount, instagram: Any) -> None:
    approved = in_portuguese(
        whatsapp_name="conta_2",
        whatsapp_components=[
            {"type": "header", "parameters": [{"type": "text", "text": "{{ total }}"}]},
            {"type": "button", "sub_type": "url", "index": "0",
             "parameters": [{"type": "text", "text": "a/{{ name }}"}]},
        ],
    )  # fmt: skip
    published(aurora, in_english(), approved)
    (answer,) = ask(aurora, account, by(language="pt-BR", variables=GIVEN | {"name": "Bia\n Lua"}))
    assert isinstance(answer, Accepted)
    assert answer.content.text.startswith("Olá Bia\n Lua, R$ 1.149,90")
    template = answer.content.template
    assert template
    assert (template.name, template.language) == ("conta_2", "pt_BR")
    assert template.components == (
        {"type": "header", "parameters": [{"type": "text", "text": "R$ 1.149,90"}]},
        {"type": "button", "sub_type": "url", "index": "0", "parameters": [{"type": "text", "text": "a/Bia Lua"}]},
    )
    (plain,) = ask(aurora, account, by(language="en"))  # this text has no name there
    (elsewhere,) = ask(aurora, instagram, by(language="pt-BR"), to="1784140000000001")
    assert isinstance(plain, Accepted)
    assert isinstance(elsewhere, Accepted)
    assert plain.content.template is elsewhere.content.template is None


def test_variables_in_order_are_the_parameters_where_nobody_wrote_any(aurora: House, account: Any) -> None:
    variables = [*VARIABLES[:3], Variable("is_late", VariableType.BOOLEAN, True)]
    published(
        aurora,
        in_portuguese(body="{{ name }}", whatsapp_name="conta", whatsapp_language="pt"),
        variables=variables,
    )
    (answer,) = ask(aurora, account, by(variables=GIVEN | {"is_late": False}))
    assert isinstance(answer, Accepted)
    assert answer.content.template
    assert answer.content.template.language == "pt"
    assert [each["text"] for each in answer.content.template.components[0]["parameters"]] == [
        "Bia", "R$ 1.149,90", "5 de abr. de 2026",
    ]  # fmt: skip


def test_empty_parameter_is_refused_before_whatsapp_refuses_it(aurora: House, account: ChannelAccount) -> None:
    published(aurora, in_english(whatsapp_name="bill"))
    answers = ask(aurora, account, by(), by(variables=GIVEN | {"note": "Thanks"}))
    assert refusal(answers[0]) == ("template", "blank")
    assert isinstance(answers[1], Accepted)


def test_media_and_buttons_are_filled_in_too(aurora: House, account: ChannelAccount) -> None:
    url = "https://aurora.example/{{ name|lower }}.pdf"
    media = {"kind": "document", "url": url, "file_name": "{{ name }}.pdf"}
    buttons = [{"id": "pay", "title": "Pay {{ total|number }}"}]
    published(aurora, in_english(content={"media": media, "buttons": buttons}))
    answers = ask(
        aurora, account, by(), by(variables=GIVEN | {"name": "a/b"}), by(variables=GIVEN | {"name": "a b"})
    )
    assert isinstance(answers[0], Accepted)
    content = answers[0].content
    assert content.media
    assert (content.media.url, content.media.file_name) == ("https://aurora.example/bia.pdf", "Bia.pdf")
    assert [(each.id, each.title) for each in content.buttons] == [("pay", "Pay 1,149.9")]
    assert [refusal(answer) for answer in answers[1:]] == [("template", "invalid"), ("template", "refused_url")]


def test_person_who_refuses_the_category_is_not_written_to(aurora: House, account: ChannelAccount) -> None:
    published(aurora, category="marketing", name="offer")
    published(aurora)
    ask(aurora, account, by())
    Contact.objects.for_organization(aurora.organization).update(refused_categories=["marketing"])
    answers = ask(aurora, account, by("offer"), by())
    assert refusal(answers[0]) == ("to", "category_refused")
    assert isinstance(answers[1], Accepted)
    (text,) = accept(
        aurora.organization,
        [NewMessage("Oi", account_id=account.id, to=ANA, template_fallback=by("offer"))],
    )
    assert refusal(text) == ("to", "category_refused")


def test_number_of_statements_does_not_grow_with_the_batch(aurora: House, account: ChannelAccount) -> None:
    names = [published(aurora, name=f"bill_{n}").template.name for n in range(5)]

    def wanted(count: int) -> Iterator[NewMessage]:
        for n in range(count):
            to = f"+55119{20_000_000 + n}"
            yield NewMessage(account_id=account.id, to=to, template=by(names[n % 5], version=1 if n % 2 else None))

    def statements(count: int) -> int:
        accept(aurora.organization, list(wanted(count)))  # their people are known from now on
        with CaptureQueriesContext(connection) as captured:
            answers = accept(aurora.organization, list(wanted(count)))
        assert all(isinstance(answer, Accepted) for answer in answers)
        return len(captured)

    assert statements(2) == statements(500)


APPROVED = {
    "whatsapp_name": "conta",
    "whatsapp_components": [{"type": "body", "parameters": [{"type": "text", "text": "{{ name }}"}]}],
}


@pytest.mark.django_db(transaction=True)
def test_outside_the_window_only_a_template_leaves(aurora: House, desk: Desk) -> None:
    desk.change(reply_window="enforced")
    published(aurora, in_portuguese(**APPROVED))
    published(aurora, name="unapproved")
    answers = desk.answers(
        [
            NewMessage("Oi", account_id=desk.account.id, to=ANA),
            NewMessage(account_id=desk.account.id, to=ANA, template=by("unapproved")),
            NewMessage(account_id=desk.account.id, to=ANA, template=by()),
            NewMessage("Oi", account_id=desk.account.id, to=ANA, template_fallback=by()),
        ]
    )
    assert [refusal(answer) for answer in answers[:2]] == [("text", "outside_window")] * 2
    accepted = [answer.id for answer in answers[2:] if isinstance(answer, Accepted)]
    desk.drain()
    assert desk.statuses(accepted) == ["sent", "sent"]


@pytest.mark.django_db(transaction=True)
def test_template_goes_instead_where_the_window_closed_meanwhile(aurora: House, desk: Desk) -> None:
    desk.change(reply_window="enforced", ordering="relaxed")
    published(aurora, in_portuguese(**APPROVED))
    desk.accept("Oi", template_fallback=by())  # opens the conversation
    desk.drain()
    conversations = Conversation.objects.for_organization(aurora.organization)
    wrote_at = clock.now() - timedelta(hours=23)
    conversations.update(last_inbound_at=wrote_at)
    with_template, bare = desk.accept("Oi", template_fallback=by()) + desk.accept("Oi")
    taken = claim(desk.account, 10)
    for hours, expected in ((23, {with_template: "", bare: ""}), (25, {with_template: "conta", bare: "failed"})):
        cleared = [
            clear(desk.account, delivery, taken.lease, wrote_at + timedelta(hours=hours))
            for delivery in taken.deliveries
        ]
        assert {_message_id(each): _what_leaves(each) for each in cleared} == expected


def _message_id(cleared: Cleared | Outcome) -> UUID:
    return cleared.delivery.message_id if isinstance(cleared, Cleared) else cleared.message_id


def _what_leaves(cleared: Cleared | Outcome) -> str:
    if isinstance(cleared, Outcome):
        return cleared.result.value
    return cleared.content.template.name if cleared.content.template else ""
