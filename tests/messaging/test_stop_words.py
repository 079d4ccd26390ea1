"""A word is enough to leave, and to come back."""

import re
from datetime import timedelta
from unittest.mock import Mock

import pytest
from django.db import transaction
from django.utils import translation

from apps.channels.callback import Inbound
from apps.channels.models import ReplyWindow
from apps.core import clock
from apps.messaging import conversations
from apps.messaging.consent import suppressions, words
from apps.messaging.consent.choices import ALL, Choice, choose
from apps.messaging.consent.links import read_token
from apps.messaging.consent.words import word_in
from apps.messaging.engine.incoming import take_in
from apps.messaging.engine.loop import Loop
from apps.messaging.models import ConsentEvent, ConsentSource, Contact, ContactAddress, Message, Suppression
from apps.messaging.statuses import Category
from tests.cast import House
from tests.messaging.desk import ANA, BIA, Desk, open_account
from tests.messaging.provider import Provider


@pytest.fixture
def counter(aurora: House) -> Desk:
    """A desk that sends nothing."""
    return Desk(aurora.organization, open_account(aurora, "whatsapp_cloud"), Mock(Loop))


def inbound(text: str, number: int = 1, sender: str = ANA, days_ago: float = 0) -> Inbound:
    at = clock.now() - timedelta(days=days_ago)
    return Inbound("100200300", f"wamid.in.{sender}.{number}", sender, at, text=text)


@transaction.atomic
def hears(desk: Desk, *messages: Inbound) -> None:
    """In the transaction of a callback."""
    take_in([(desk.account, message) for message in messages])


def answers(to: str = ANA) -> list[str]:
    said = Message.across_organizations.filter(direction="outbound", conversation__address=to).order_by("id")
    assert all(message.category == Category.SERVICE for message in said)
    return [message.text for message in said]


def suppressed() -> list[str]:
    return list(Suppression.across_organizations.order_by("value").values_list("value", flat=True))


def events() -> list[tuple[str, bool, str]]:
    found = ConsentEvent.across_organizations.order_by("id")
    return list(found.values_list("subject", "is_given", "source"))


@pytest.mark.parametrize(
    "text",
    ["STOP", "stop", " Stop! ", "!stop", "“Sair”", "'parar'", "*PARE*", "_quit_", "/stop", "Cancelar.",
     "DÉSCADASTRAR", "unsubscribe", "ｓｔｏｐ", "stopall\n", "end", "cancel", "remover"],
)  # fmt: skip
def test_word_alone_is_heard_however_it_is_written(text: str) -> None:
    assert word_in(text) is not None


@pytest.mark.parametrize(
    "text",
    ["", "!", "please stop", "stop it", "não parar", "S.T.O.P", "nonstop", "end of story", "sair de casa", "1",
     "s t o p", "STOP" + " " * 100_000, "stop2", "👋"],
)  # fmt: skip
def test_sentence_with_such_a_word_is_a_message_like_any_other(text: str) -> None:
    assert word_in(text) is None


def test_person_who_says_stop_is_suppressed_and_told_once(desk: Desk, provider: Provider) -> None:
    hears(desk, inbound("Sair"))
    said = Message.across_organizations.get(direction="inbound")
    found = Suppression.across_organizations.get()
    assert (found.kind, found.value, found.category, found.source) == ("phone", ANA, "", "word")
    assert found.detail == f"SAIR {said.id}"
    assert events() == [(f"phone:{ANA}", False, "word")]
    assert ConsentEvent.across_organizations.get().detail == f"SAIR {said.id}"
    (answer,) = answers()
    assert "Padaria Aurora" in answer
    token = re.search(r"/p/(\S+)", answer)
    assert token
    assert read_token(token[1]) == (Contact.across_organizations.get().pk, "")
    desk.drain()
    assert len(provider.received_by(ANA)) == 1

    hears(desk, inbound("STOP", 2))
    assert len(answers()) == 1
    assert len(events()) == 1


def test_callback_that_is_told_again_is_not_heeded_again(counter: Desk) -> None:
    hears(counter, inbound("STOP", 1))
    hears(counter, inbound("START", 2))
    hears(counter, inbound("STOP", 1))
    assert suppressed() == []
    assert len(answers()) == 2


def test_nothing_happens_where_the_callback_is_not_worked_off(counter: Desk) -> None:
    with transaction.atomic():
        take_in([(counter.account, inbound("STOP"))])
        transaction.set_rollback(True)
    assert (suppressed(), events(), answers()) == ([], [], [])


def test_person_who_said_stop_comes_back_with_a_word(desk: Desk, provider: Provider) -> None:
    hears(desk, inbound("STOP", 1))
    assert desk.accept("Oferta", category="marketing") == []
    hears(desk, inbound("voltar", 2))
    assert suppressed() == []
    assert events() == [(f"phone:{ANA}", False, "word"), (f"phone:{ANA}", True, "word")]
    assert len(answers()) == 2
    (offer,) = desk.accept("Oferta", category="marketing")
    desk.drain()
    desk.drain()
    assert provider.received_by(ANA)[-1] == str(offer)

    hears(desk, inbound("START", 3))
    assert len(events()) == 2


def test_word_brings_back_whoever_left_altogether(counter: Desk) -> None:
    hears(counter, inbound("Oi", 1))
    contact = Contact.across_organizations.get()
    choose(contact.pk, [Choice(ALL, is_given=False)], ConsentSource.PAGE)
    hears(counter, inbound("start", 2))
    contact.refresh_from_db()
    assert contact.left_at is None
    assert events()[-1] == ("all", True, "word")
    assert len(answers()) == 1


@pytest.mark.parametrize("source", [ConsentSource.PROVIDER, ConsentSource.OPERATOR, ConsentSource.API])
def test_word_does_not_lift_what_others_suppressed(counter: Desk, source: ConsentSource) -> None:
    suppressions.add(counter.organization.id, "phone", [ANA], source)
    hears(counter, inbound("START"))
    assert suppressed() == [ANA]
    assert answers() == []


def test_words_of_many_people_are_heeded_in_one_batch_and_in_their_order(counter: Desk) -> None:
    hears(
        counter, inbound("STOP", 1), inbound("Bom dia", 1, BIA), inbound("START", 2), inbound("sair", 2, BIA),
        inbound("parar", 3, BIA),
    )  # fmt: skip
    assert suppressed() == [BIA]
    assert (len(answers(ANA)), len(answers(BIA))) == (2, 1)


def test_other_messages_cost_nothing_more(counter: Desk) -> None:
    hears(counter, inbound("Bom dia"), inbound("Pare de sofrer", 2))
    assert (suppressed(), events(), answers()) == ([], [], [])


def test_words_count_only_in_the_organization_that_they_were_said_to(counter: Desk, boreal: House) -> None:
    theirs = Contact.across_organizations.create(organization=boreal.organization)
    own = {"organization": boreal.organization, "contact": theirs}
    ContactAddress.across_organizations.create(kind="phone", value=ANA, **own)
    hears(counter, inbound("STOP"))
    assert Suppression.across_organizations.get().organization_id == counter.organization.id
    assert not ConsentEvent.across_organizations.filter(contact=theirs).exists()


@pytest.mark.parametrize(
    ("known", "word", "expected"),
    [("", "STOP", "en"), ("", "SAIR", "pt-br"), ("en", "SAIR", "en"), ("pt", "STOP", "pt-br"),
     ("pt-BR", "STOP", "pt-br"), ("fr", "parar", "pt-br"), ("fr", "STOP", "en")],
)  # fmt: skip
def test_answer_is_in_the_persons_language(
    counter: Desk, monkeypatch: pytest.MonkeyPatch, known: str, word: str, expected: str
) -> None:
    monkeypatch.setattr(words, "_", lambda text: f"{translation.get_language()} {text}")
    hears(counter, inbound("Oi", 1))
    Contact.across_organizations.update(language=known)
    hears(counter, inbound(word, 2))
    (answer,) = answers()
    assert answer.startswith(f"{expected} ")


def test_word_that_came_too_late_for_an_answer_is_heeded_all_the_same(counter: Desk) -> None:
    counter.change(reply_window=ReplyWindow.ENFORCED)
    hears(counter, inbound("STOP", days_ago=3))
    assert suppressed() == [ANA]
    assert answers() == []


def test_stop_stays_with_whoever_changes_their_number(counter: Desk) -> None:
    hears(counter, inbound("SAIR"))
    conversations.move(counter.account, ANA, BIA)
    assert counter.accept("Oferta", to=BIA, category=Category.MARKETING) == []
    hears(counter, inbound("VOLTAR", 2, sender=BIA))
    assert len(counter.accept("Oferta", to=BIA, category=Category.MARKETING)) == 1
