"""Somebody who registered is forgotten everywhere; that they were there, and who erased them, stays."""

from typing import Any

import pytest

from apps.core.ids import new_id
from apps.core.redis import redis_client
from apps.messaging import erasure as messaging_erasure
from apps.messaging.models import Contact
from apps.registration import erasure
from apps.registration.applying import apply
from apps.registration.conversation import settle, silence
from apps.registration.models import HeardMessage, Registration, Talk, Turn
from apps.registration.vault import people
from apps.registration.vault.models import Access, Person
from tests.cast import Api, House
from tests.messaging import history
from tests.messaging.desk import ANA, BIA
from tests.registration.talks import Person as Writer
from tests.registration.talks import counter, hear, live_flow
from tests.registration.vault import told
from tests.traces import traces_of

pytestmark = pytest.mark.django_db(transaction=True)

REASON = "asked for by post"
WORDS = ("cadastro", "sim", "Ana Jacaranda", "ana@jacaranda.com.br", "529.982.247-25")
LEFT = ("jacaranda", ANA.removeprefix("+"), "52998224725", "529.982.247-25")


@pytest.fixture
def ana(aurora: House) -> Writer:
    account = counter(aurora)
    live_flow(aurora, account)
    return Writer(account)


def erased(answer: Any) -> dict[str, dict[str, int]]:
    assert answer.status_code == 200, answer.json()
    counts: dict[str, dict[str, int]] = answer.json()["erased"]
    return counts


def erase(api: Api, thing: str, pk: object) -> dict[str, dict[str, int]]:
    return erased(api.post(f"/v1/{thing}/{pk}/erase", {"reason": REASON}))


def remembered() -> list[Any]:
    return list(redis_client().scan_iter("recado:registration:*"))


def test_person_is_gone_from_all_apps(owner: Api, ana: Writer) -> None:
    ana.says(*WORDS, "sim")
    assert apply.apply(ana.registration.id)
    before = ana.registration
    assert before.person_id
    ana.says("quero atualizar meu cadastro")
    counts = erase(owner, "people", before.person_id)
    # What was known opened the second one, which was going on.
    assert counts["registration"] == {"registrations": 1, "cancelled": 1, "turns": 7, "fields": 3}
    assert counts["messaging"]["messages"] > 7
    assert traces_of(*LEFT) == set()
    assert remembered() == []
    assert not Person.across_organizations.exists()
    first, second = Registration.across_organizations.order_by("id")
    assert (first.state, first.person_id, first.applied_at) == ("completed", before.person_id, before.applied_at)
    assert (second.state, second.opening, second.look_at) == ("cancelled", "", None)


def test_access_log_says_by_whom_and_why(owner: Api, ana: Writer) -> None:
    ana.says(*WORDS, "sim")
    apply.apply(ana.registration.id)
    before = ana.registration
    erase(owner, "people", before.person_id)
    entry = Access.across_organizations.latest("id")
    assert (entry.person_id, entry.action) == (before.person_id, "erased")
    assert (entry.actor_label, entry.reason) == ("owner@aurora.example", REASON)
    erase(owner, "contacts", before.contact_id)
    assert Access.across_organizations.latest("id") == entry


def test_contact_who_has_not_registered_yet_is_forgotten_too(owner: Api, ana: Writer) -> None:
    ana.says(*WORDS)
    assert remembered()
    contact_id = ana.registration.contact_id
    counts = erase(owner, "contacts", contact_id)
    assert counts["registration"] == {"registrations": 0, "cancelled": 1, "turns": 5, "fields": 0}
    assert traces_of(*LEFT) == set()
    assert remembered() == []
    assert silence.look() == 0
    again = erase(owner, "contacts", contact_id)["registration"]
    assert set(again.values()) == {0}


def test_contact_whom_the_vault_knows_is_gone_from_it(owner: Api, ana: Writer) -> None:
    ana.says(*WORDS, "sim")
    apply.apply(ana.registration.id)
    assert erase(owner, "contacts", ana.registration.contact_id)["registration"]["fields"] == 3
    assert not Person.across_organizations.exists()
    assert Access.across_organizations.latest("id").reason == erasure.REASON


def test_what_was_confirmed_does_not_come_to_the_vault_any_more(owner: Api, ana: Writer) -> None:
    ana.says(*WORDS, "sim")
    registration = ana.registration
    assert registration.confirmed
    counts = erase(owner, "contacts", registration.contact_id)["registration"]
    assert (counts["registrations"], counts["cancelled"]) == (1, 1)
    assert not apply.apply(registration.id)
    assert not Person.across_organizations.exists()
    registration.refresh_from_db()
    assert (registration.state, registration.confirmed) == ("cancelled", "")


@pytest.mark.parametrize("before", [(), ("cadastro", "sim")])
def test_message_that_is_being_heard_is_not_written_down(
    owner: Api, ana: Writer, monkeypatch: pytest.MonkeyPatch, before: tuple[str, ...]
) -> None:
    ana.says(*before)
    heard = settle.settle

    def erased_meanwhile(*given: Any) -> None:
        monkeypatch.undo()
        erase(owner, "contacts", Contact.across_organizations.get(addresses__value=ANA).pk)
        heard(*given)

    ana.writes("quero me cadastrar, sou a Ana Jacaranda, meu email é ana@jacaranda.com.br")
    monkeypatch.setattr(settle, "settle", erased_meanwhile)
    hear()
    assert not Turn.across_organizations.exists()
    assert traces_of(*LEFT) == set()


def test_nothing_waits_to_be_heard(owner: Api, ana: Writer) -> None:
    ana.writes("quero me cadastrar, sou a Ana Jacaranda")
    erase(owner, "contacts", Contact.across_organizations.get(addresses__value=ANA).pk)
    assert not HeardMessage.objects.exists()
    assert not Talk.across_organizations.exists()
    assert hear() == 0


def test_who_registers_again_is_new(owner: Api, ana: Writer) -> None:
    ana.says(*WORDS, "sim")
    apply.apply(ana.registration.id)
    before = ana.registration.person_id
    erase(owner, "people", before)
    ana.says(*WORDS, "sim")
    assert not ana.registration.is_update
    apply.apply(ana.registration.id)
    assert ana.registration.person_id not in {None, before}


def test_half_way_it_can_be_begun_again(owner: Api, ana: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    ana.says(*WORDS, "sim")
    apply.apply(ana.registration.id)
    person_id = ana.registration.person_id

    def die(*_given: object) -> Any:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(messaging_erasure, "erase_messages", die)
        assert owner.post(f"/v1/people/{person_id}/erase", {"reason": REASON}).status_code == 500
    assert Person.across_organizations.exists()
    erase(owner, "people", person_id)
    assert traces_of(*LEFT) == set()


def test_person_without_a_contact_is_erased_alone(owner: Api, aurora: House) -> None:
    kept = history.sent(aurora, "jacaranda")
    person_id = told.write(aurora, contact_id=new_id())
    assert erase(owner, "people", person_id) == {"registration": {"fields": len(told.ANA)}}
    assert owner.post(f"/v1/people/{person_id}/erase", {"reason": REASON}).status_code == 404
    kept.refresh_from_db()
    assert kept.text == "jacaranda"


def test_nobody_else_is_touched(owner: Api, aurora: House, boreal: House, ana: Writer) -> None:
    bia = Writer(ana.account, BIA)
    bia.says(*WORDS)
    ana.says(*WORDS, "sim")
    apply.apply(ana.registration.id)
    theirs = told.write(boreal)
    turns = Turn.across_organizations.filter(registration=bia.registration).count()
    erase(owner, "people", ana.registration.person_id)
    assert Turn.across_organizations.filter(registration=bia.registration).count() == turns == 5
    assert "feito" in bia.says("sim")
    assert people.overview(boreal.organization, person_ids=[theirs])
    assert owner.post(f"/v1/people/{theirs}/erase", {"reason": REASON}).status_code == 404


def test_many_registrations_are_emptied_in_pieces(
    owner: Api, ana: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasure, "AT_ONCE", 2)
    for _ in range(3):
        ana.says("cadastro", "não")
    ana.says(*WORDS)
    counts = erase(owner, "contacts", ana.registration.contact_id)["registration"]
    assert counts == {"registrations": 0, "cancelled": 1, "turns": 11, "fields": 0}
    assert not Turn.across_organizations.exists()


@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": "x" * 201}])
def test_nobody_is_erased_without_a_reason(owner: Api, aurora: House, body: dict[str, str]) -> None:
    contact = history.contact(aurora)
    person_id = told.write(aurora, contact_id=contact.pk)
    for thing, pk in (("people", person_id), ("contacts", contact.pk)):
        assert owner.post(f"/v1/{thing}/{pk}/erase", body).status_code == 400
    assert told.read(aurora, person_id).values
