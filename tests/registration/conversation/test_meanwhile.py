"""What happens to a registration from elsewhere while somebody is in the middle of it."""

import pytest
from django.db import connection

from apps.core.redis import redis_client
from apps.messaging import contacts
from apps.messaging.models import Contact
from apps.registration import flows, forgetting
from apps.registration.applying import apply
from apps.registration.conversation import claim, converse, hand_back, silence
from apps.registration.conversation.prepare import prepare
from apps.registration.models import Registration, RegistrationState, Turn
from tests.cast import House
from tests.messaging.desk import BIA
from tests.registration.talks import Person, counter, hear, live_flow
from tests.traces import traces_of

pytestmark = pytest.mark.django_db(transaction=True)

WORDS = ("cadastro", "sim", "Ana Lima", "ana@exemplo.com.br", "não", "sim")


def test_who_is_in_the_middle_goes_on_when_the_flow_is_stopped(aurora: House) -> None:
    account = counter(aurora)
    flow = live_flow(aurora, account)
    ana = Person(account)
    ana.says("cadastro")
    flows.stop(aurora.principal(), flow)
    assert "nome" in ana.says("sim")


def test_who_is_in_the_middle_goes_on_when_the_account_leaves_the_flow(aurora: House) -> None:
    account = counter(aurora)
    flow = live_flow(aurora, account)
    ana = Person(account)
    ana.says("cadastro")
    flows.change(aurora.principal(), flow, accounts=[])
    assert "nome" in ana.says("sim")


def test_contact_that_is_merged_while_a_message_is_understood_is_heard(aurora: House) -> None:
    account = counter(aurora)
    live_flow(aurora, account)
    ana = Person(account)
    ana.writes("cadastro")
    prepared = prepare(claim.claim(10))
    merged = Contact.across_organizations.get(pk=prepared[0].claimed.contact_id)
    contacts.merge(aurora.principal(), merged, contacts.add(aurora.principal(), name="Ana"))
    converse._settle(prepared, {})
    hear()
    assert Registration.across_organizations.count() == 1


def test_machine_that_answers_a_machine_is_not_answered_for_ever(aurora: House) -> None:
    """Two machines that answer each other: each answer is paid for, each turn is kept."""
    account = counter(aurora)
    live_flow(aurora, account)
    shop = Person(account)
    shop.says("cadastro")
    shop.says(*["Olá! Como posso ajudar?"] * 40)
    assert len(shop.answers()) < 20, (len(shop.answers()), Turn.across_organizations.count())


def test_unreadable_value_of_one_person_keeps_nobody_else_unheard(aurora: House) -> None:
    account = counter(aurora)
    live_flow(aurora, account)
    ana, bia = Person(account), Person(account, BIA)
    ana.says(*WORDS)
    apply.apply(ana.registration.id)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE vault.field SET value = 'gone:' || value")
    ana.writes("cadastro")
    bia.writes("cadastro")
    hear()
    assert bia.answers()


def test_unreadable_turn_of_one_registration_does_not_end_the_sweep(aurora: House) -> None:
    account = counter(aurora)
    live_flow(aurora, account)
    ana, bia = Person(account), Person(account, BIA)
    ana.says("cadastro", "sim")
    bia.says("cadastro")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE registration SET look_at = now() - interval '1 minute'")
        cursor.execute(
            "UPDATE registration_turn SET heard = 'gone:x' WHERE registration_id = %s", [ana.registration.id]
        )
    redis_client().flushdb()
    silence.look()
    assert len(bia.answers()) == 2


def test_what_was_written_to_a_person_of_the_team_is_redacted(aurora: House) -> None:
    account = counter(aurora)
    live_flow(aurora, account, redact_after=0)
    ana = Person(account)
    ana.says("cadastro", "sim", "quero falar com um atendente")
    assert ana.registration.state == RegistrationState.WITH_PERSON
    ana.says("meu CPF é 529.982.247-25")
    hand_back.cancel(aurora.principal(), ana.registration)
    forgetting.forget()
    assert traces_of("529.982.247-25") == set()
