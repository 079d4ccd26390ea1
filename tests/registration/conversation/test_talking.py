"""People register by conversation, from the first word to the vault."""

import pytest

from apps.accounts.principal import SYSTEM
from apps.channels.models import ChannelAccount
from apps.core.redis import redis_client
from apps.messaging.models import Conversation
from apps.registration import starting
from apps.registration.applying import apply
from apps.registration.models import HeardMessage, Registration, Talk, Turn
from apps.registration.vault import people
from tests.cast import House
from tests.messaging.desk import BIA
from tests.registration.talks import CONSENT, Person, counter, hear, live_flow

pytestmark = pytest.mark.django_db(transaction=True)

CPF = "529.982.247-25"


@pytest.fixture
def account(aurora: House) -> ChannelAccount:
    return counter(aurora)


@pytest.fixture
def ana(aurora: House, account: ChannelAccount) -> Person:
    live_flow(aurora, account)
    return Person(account)


def values_of(house: House, registration: Registration) -> dict[str, str]:
    assert registration.person_id is not None
    record = people.read(house.organization, registration.person_id, actor=SYSTEM, reason="test")
    return {name: field.value for name, field in record.values.items()}


def test_person_registers_step_by_step(aurora: House, ana: Person) -> None:
    first = ana.says("quero me cadastrar")
    assert CONSENT in first
    assert "nome completo" in ana.says("sim")
    assert "e-mail" in ana.says("Ana Maria Lima")
    assert "CPF" in ana.says("ana.lima@exemplo.com.br")
    summary = ana.says(CPF)
    assert "Ana" in summary
    assert CPF not in summary
    assert "ana.lima@exemplo.com.br" not in summary
    assert "feito" in ana.says("isso mesmo")
    assert ana.registration.state == "completed"
    assert apply.apply(ana.registration.id)
    assert values_of(aurora, ana.registration) == {
        "name": "Ana Maria Lima",
        "email": "ana.lima@exemplo.com.br",
        "tax_id": "52998224725",
    }
    assert not apply.apply(ana.registration.id)


def test_several_values_in_one_message_are_all_taken(ana: Person) -> None:
    ana.says("quero me cadastrar", "sim")
    summary = ana.says(f"sou a Ana Lima, meu email é ana@exemplo.com.br e meu cpf é {CPF}")
    assert ana.registration.state == "confirming", summary


def test_correction_is_taken_at_any_time(aurora: House, ana: Person) -> None:
    ana.says("quero me cadastrar", "sim", "Ana Lima", "ana@exemplo.com.br")
    assert "e-mail" in ana.says("o e-mail está errado")
    ana.says("ana.lima@exemplo.com.br", CPF)
    assert ana.registration.state == "confirming"
    ana.says("na verdade meu nome é Ana Maria Lima")
    assert ana.registration.state == "confirming"
    ana.says("sim")
    apply.apply(ana.registration.id)
    assert values_of(aurora, ana.registration)["name"] == "Ana Maria Lima"
    assert values_of(aurora, ana.registration)["email"] == "ana.lima@exemplo.com.br"


def test_without_consent_nothing_is_kept(ana: Person) -> None:
    ana.says("quero me cadastrar")
    assert "nada foi guardado" in ana.says("não")
    assert ana.registration.state == "declined"
    assert ana.registration.confirmed == ""


def test_optional_question_is_skipped(ana: Person) -> None:
    ana.says("quero me cadastrar", "sim", "Ana Lima", "ana@exemplo.com.br", "não")
    assert ana.registration.state == "confirming"


def test_third_failure_calls_a_person_who_hands_back(ana: Person) -> None:
    ana.says("quero me cadastrar", "sim", "Ana Lima")
    for wrong in ("ana arroba", "sei la", "ana@@x"):
        answer = ana.says(wrong)
    assert "pessoa da equipe" in answer
    assert ana.registration.state == "with_person"
    conversation = Conversation.across_organizations.get(pk=ana.registration.conversation_id)
    assert conversation.labels.exists()
    assert ana.says("oi?") == ""


def test_other_words_start_nothing(ana: Person) -> None:
    assert ana.says("bom dia, que horas vocês abrem?") == ""
    assert not Registration.across_organizations.exists()
    assert not HeardMessage.objects.exists()
    assert Talk.across_organizations.get().due_at is None


def test_keyword_starts_it(ana: Person) -> None:
    assert CONSENT in ana.says("Cadastro!")
    assert ana.registration.started_by == "keyword"


@pytest.mark.parametrize("words", ["cadastro" + " " * 200 + "é muito chato", "🙂", "cadastro ou não"])
def test_what_is_no_keyword_whole_is_none(aurora: House, words: str) -> None:
    account = counter(aurora)
    live_flow(aurora, account, starts_by_intent=False)
    ana = Person(account)
    assert ana.says(words) == ""
    assert not Registration.across_organizations.exists()


@pytest.mark.parametrize("after", range(1, 6))
def test_redis_that_forgot_everything_is_thought_over(aurora: House, ana: Person, after: int) -> None:
    words = ["quero me cadastrar", "sim", "Ana Lima", "ana@exemplo.com.br", CPF, "sim"]
    ana.says(*words[:after])
    redis_client().flushdb()
    ana.says(*words[after:])
    assert ana.registration.state == "completed"
    apply.apply(ana.registration.id)
    assert values_of(aurora, ana.registration)["email"] == "ana@exemplo.com.br"


@pytest.mark.parametrize("after", range(1, 5))
def test_what_an_application_began_is_thought_over_too(aurora: House, account: ChannelAccount, after: int) -> None:
    starting.start(aurora.principal(), live_flow(aurora, account), account_id=account.id, to=BIA)
    bia = Person(account, BIA)
    words = ["sim", "Bia Souza", "bia@exemplo.com.br", "não", "sim"]
    bia.says(*words[:after])
    redis_client().flushdb()
    bia.says(*words[after:])
    assert bia.registration.state == "completed"


def test_once_it_has_ended_nothing_is_kept_of_what_was_said(ana: Person) -> None:
    ana.says("quero me cadastrar", "sim", "Ana Lima", "ana@exemplo.com.br", CPF, "sim")
    apply.apply(ana.registration.id)
    ana.says("quero atualizar meu email para nova@exemplo.com.br")
    assert ana.registration.opening
    ana.says("não quero mais")
    for registration in Registration.across_organizations.all():
        assert (registration.opening, registration.confirmed) == ("", "")
    assert set(Turn.across_organizations.values_list("heard", flat=True)) == {""}


def test_messages_that_come_together_are_heard_in_their_order(ana: Person) -> None:
    ana.writes("quero me cadastrar", "sim", "Ana Lima", "ana@exemplo.com.br", CPF, "sim")
    assert hear() == 6
    assert ana.registration.state == "completed"
    assert list(Turn.across_organizations.order_by("number").values_list("number", flat=True)) == [
        1,
        2,
        3,
        4,
        5,
        6,
    ]


def test_two_people_do_not_meet(aurora: House, account: ChannelAccount, ana: Person) -> None:
    bia = Person(account, BIA)
    ana.writes("quero me cadastrar", "sim", "Ana Lima")
    bia.writes("quero me cadastrar", "sim", "Bia Souza")
    hear()
    for each, name in ((ana, "Ana L"), (bia, "Bia S")):
        each.says(f"{each.address[-4:]}@exemplo.com.br", "não tenho")
        assert name in each.answers()[-1]


def test_who_is_known_corrects_what_is_known(aurora: House, ana: Person) -> None:
    ana.says("quero me cadastrar", "sim", "Ana Lima", "ana@exemplo.com.br", CPF, "sim")
    apply.apply(ana.registration.id)
    before = ana.registration.person_id
    ana.says("quero atualizar meu email para nova@exemplo.com.br")
    assert ana.registration.is_update
    ana.says("sim")
    apply.apply(ana.registration.id)
    assert ana.registration.person_id == before
    assert values_of(aurora, ana.registration) == {
        "name": "Ana Lima",
        "email": "nova@exemplo.com.br",
        "tax_id": "52998224725",
    }


def test_yes_to_what_was_meant_is_that(ana: Person) -> None:
    ana.says("cadastro", "sim", "Ana Lima")
    assert "gmail.com" in ana.says("ana.lima@gmial.com")
    redis_client().flushdb()
    assert "a***@gmail.com" in ana.says("sim", "não")


def test_yes_to_something_else_is_not_what_was_meant(ana: Person) -> None:
    ana.says("cadastro", "sim", "Ana Lima", "ana.lima@gmial.com", "pra que serve?")
    assert "e-mail" in ana.says("sim").lower()
    assert ana.registration.step == "email"
