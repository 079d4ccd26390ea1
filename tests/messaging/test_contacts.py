"""People and how they are reached: one person, however many addresses and channels."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import time, timedelta
from threading import Event
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import AuditEvent
from apps.channels.capabilities import AddressKind
from apps.core import clock
from apps.messaging import contacts
from apps.messaging.models import ConsentEvent, ConsentSource, Contact, ContactAddress, Conversation, Message
from tests.cast import Api, House
from tests.messaging import history
from tests.messaging.history import ANA, BIA

pytestmark = pytest.mark.django_db


def good(answer: Any, status: int = 200) -> Any:
    assert answer.status_code == status, answer.content
    return answer.json() if answer.content else None


def names(owner: Api, query: str) -> list[str]:
    return [each["name"] for each in good(owner.get(f"/v1/contacts?{query}"))["data"]]


def person(house: House, name: str, *phones: str, **values: Any) -> Contact:
    contact = contacts.add(house.principal(), name=name, ways=[(AddressKind.PHONE, each) for each in phones])
    Contact.across_organizations.filter(pk=contact.pk).update(name=name, **values)
    contact.refresh_from_db()
    return contact


def phones(contact: Contact) -> list[str]:
    return sorted(ContactAddress.across_organizations.filter(contact=contact).values_list("value", flat=True))


def test_contact_is_added_with_addresses_in_one_spelling(owner: Api, aurora: House) -> None:
    made = good(
        owner.post(
            "/v1/contacts",
            {
                "name": "Ana Lima",
                "language": "pt-BR",
                "time_zone": "America/Sao_Paulo",
                "addresses": [
                    {"kind": "phone", "value": "+55 (11) 91234-5601"},
                    {"kind": "email", "value": "ana@Exemplo.com.br"},
                ],
            },
        ),
        201,
    )
    assert (made["name"], made["language"], made["time_zone"]) == ("Ana Lima", "pt-br", "America/Sao_Paulo")
    assert [(each["kind"], each["value"]) for each in made["addresses"]] == [
        ("email", "ana@exemplo.com.br"),
        ("phone", ANA),
    ]
    assert str(history.queued(aurora, to=ANA).conversation.contact_id) == made["id"]
    changed = good(owner.patch(f"/v1/contacts/{made['id']}", {"name": "Ana", "language": ""}))
    assert (changed["name"], changed["language"], changed["time_zone"]) == ("Ana", "", "America/Sao_Paulo")


def test_what_cannot_be_is_refused_and_pointed_at(owner: Api, aurora: House) -> None:
    for wrong, pointer, code in (
        ({"language": "pt-abcdefgh"}, "/language", "max_length"),
        ({"language": "p-b"}, "/language", "invalid"),
        ({"time_zone": "Sao_Paulo"}, "/time_zone", "invalid"),
        ({"addresses": [{"kind": "phone", "value": "123"}]}, "/addresses/0/value", "bad_address"),
        ({"addresses": [{"kind": "pigeon", "value": "123"}]}, "/addresses/0/kind", "invalid_choice"),
        ({"left_at": None}, "/left_at", "unknown_field"),
    ):
        answer = owner.post("/v1/contacts", wrong)
        (error,) = answer.json()["errors"]
        assert (answer.status_code, error["pointer"], error["code"]) == (400, pointer, code)
    assert not Contact.across_organizations.exists()


def test_name_is_found_by_its_beginning(owner: Api, aurora: House, boreal: House) -> None:
    for name in ("Ana Lima", "ANA Souza", "Mariana", "100% Ana"):
        person(aurora, name)
    person(boreal, "Ana Boreal")
    assert names(owner, "name=ana") == ["ANA Souza", "Ana Lima"]
    assert names(owner, "name=100%25") == ["100% Ana"]
    assert names(owner, "name=_na") == []
    assert names(owner, "name=mari&address=nobody") == []


def test_address_belongs_to_one_person(owner: Api, aurora: House, boreal: House) -> None:
    ana, bia = person(aurora, "Ana", ANA), person(aurora, "Bia")
    person(boreal, "Bia", BIA)
    here = {"kind": "phone", "value": "+55 11 91234-5601"}
    refused = owner.post(f"/v1/contacts/{bia.pk}/addresses", here)
    assert (refused.status_code, refused.json()["code"]) == (409, "address_taken")
    assert refused.json()["contact_id"] == str(ana.pk)
    assert owner.post("/v1/contacts", {"name": "Cia", "addresses": [here]}).json()["contact_id"] == str(ana.pk)
    assert not Contact.across_organizations.filter(name="Cia").exists()
    known = good(owner.get(f"/v1/contacts/{ana.pk}"))["addresses"]
    assert [good(owner.post(f"/v1/contacts/{ana.pk}/addresses", here), 201)] == known
    good(owner.post(f"/v1/contacts/{bia.pk}/addresses", {"kind": "phone", "value": BIA}), 201)
    good(owner.delete(f"/v1/contact-addresses/{known[0]['id']}"), 204)
    good(owner.post(f"/v1/contacts/{bia.pk}/addresses", here), 201)
    assert (phones(ana), phones(bia)) == ([], [ANA, BIA])


def test_conversation_goes_with_its_address(aurora: House, boreal: House) -> None:
    theirs = history.queued(boreal, to=ANA).conversation
    conversation = history.queued(aurora, to=ANA).conversation
    contacts.remove_address(aurora.principal(), conversation.contact.addresses.get())
    bia = person(aurora, "Bia")
    contacts.add_address(aurora.principal(), bia, (AddressKind.PHONE, ANA))
    conversation.refresh_from_db()
    assert conversation.contact == bia
    assert Conversation.across_organizations.get(pk=theirs.pk).contact_id == theirs.contact_id


def test_person_of_several_addresses_is_one_contact(aurora: House) -> None:
    """Over all accounts and channels that reach people by that kind of address."""
    ana = person(aurora, "Ana", ANA, BIA)
    assert history.queued(aurora, to=ANA).conversation.contact == ana
    assert history.queued(aurora, to=BIA).conversation.contact == ana
    assert Contact.across_organizations.count() == 1


def test_person_has_twenty_addresses_at_most(owner: Api, aurora: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contacts, "MOST_ADDRESSES", 1)
    ana = person(aurora, "Ana", ANA)
    refused = owner.post(f"/v1/contacts/{ana.pk}/addresses", {"kind": "phone", "value": BIA})
    assert refused.json()["code"] == "too_many_addresses"


def open_conversation(house: House, contact: Contact) -> Conversation:
    """Without a message, which somebody who left would not get."""
    (address,) = phones(contact)
    return Conversation.across_organizations.create(
        organization=house.organization, account=history.account_of(house), contact=contact, address=address
    )


def consent(contact: Contact) -> ConsentEvent:
    return ConsentEvent.across_organizations.create(
        organization=contact.organization, contact=contact, subject="all", is_given=False,
        source=ConsentSource.API, at=clock.now(),
    )  # fmt: skip


def test_merged_contact_is_one_person_with_all_that_both_had(owner: Api, aurora: House) -> None:
    """Also where both have conversations on the same account."""
    long_ago = clock.now() - timedelta(days=9)
    older = person(aurora, "", ANA, language="en", refused_categories=["marketing"], left_at=clock.now())
    newer = person(
        aurora, "Ana Lima", BIA, language="pt-br", time_zone="America/Recife",
        refused_categories=["billing", "marketing"], refused_channels=["sms"], left_at=long_ago,
        quiet_from=time(22), quiet_until=time(8),
    )  # fmt: skip
    of_both = [open_conversation(aurora, each) for each in (older, newer)]
    consent(newer)
    shown = good(owner.post(f"/v1/contacts/{newer.pk}/merge", {"into": str(older.pk)}))
    assert (shown["id"], shown["name"], shown["language"]) == (str(older.pk), "Ana Lima", "en")
    assert {each["value"] for each in shown["addresses"]} == {ANA, BIA}
    older.refresh_from_db()
    assert (older.refused_categories, older.refused_channels) == (["billing", "marketing"], ["sms"])
    assert (older.left_at, older.quiet_from, older.time_zone) == (long_ago, time(22), "America/Recife")
    assert [Conversation.across_organizations.get(pk=each.pk).contact_id for each in of_both] == [older.pk] * 2
    assert ConsentEvent.across_organizations.get().contact == older
    assert owner.get(f"/v1/contacts/{newer.pk}").status_code == 404
    (event,) = AuditEvent.across_organizations.filter(action="contact.merged")
    assert (event.target_id, event.changes["merged"]) == (older.pk, [str(newer.pk), None])


def test_merging_takes_two_people_of_ones_own(owner: Api, aurora: House, boreal: House) -> None:
    ana, theirs = person(aurora, "Ana", ANA), person(boreal, "Ana", ANA)
    for merged, into, status in ((ana, ana, 400), (ana, theirs, 404), (theirs, ana, 404)):
        assert owner.post(f"/v1/contacts/{merged.pk}/merge", {"into": str(into.pk)}).status_code == status
    assert Contact.across_organizations.count() == 2


def test_merging_costs_the_same_for_little_and_for_much(aurora: House) -> None:
    def cost(numbers: list[int]) -> int:
        into = person(aurora, "Into")
        merged = person(aurora, "Merged", *[f"+55119{number:08d}" for number in numbers])
        for number in numbers:
            history.queued(aurora, to=f"+55119{number:08d}")
        with CaptureQueriesContext(connection) as queries:
            contacts.merge(aurora.principal(), merged, into)
        return len(queries)

    assert cost([1]) == cost(list(range(10, 20)))


def test_contacts_cost_the_same_for_one_and_for_many(owner: Api, aurora: House) -> None:
    for number in range(20):
        person(aurora, f"Ana {number}", f"+55119{number:08d}")
    for query in ("", "name=ana&"):
        with CaptureQueriesContext(connection) as few:
            assert len(names(owner, f"{query}limit=1")) == 1
        with CaptureQueriesContext(connection) as many:
            assert len(names(owner, f"{query}limit=20")) == 20
        assert len(few) == len(many)


# Two at once


@pytest.fixture
def aside() -> Iterator[Callable[..., Future[Any]]]:
    """Does something on another connection."""
    with ThreadPoolExecutor(2) as pool:

        def run(work: Callable[[], Any]) -> Any:
            try:
                return work()
            finally:
                connection.close()

        yield lambda work: pool.submit(run, work)


def wait_until_somebody_waits() -> None:
    """For a lock, on any other connection of this database."""
    pause = Event()
    for _ in range(500):
        with connection.cursor() as cursor:
            # A transaction would otherwise see the same as before.
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(
                """SELECT count(*) FROM pg_stat_activity
                    WHERE datname = current_database() AND wait_event_type = 'Lock'"""
            )
            if cursor.fetchone()[0]:
                return
        pause.wait(0.01)
    raise AssertionError("nobody waits")


@pytest.mark.django_db(transaction=True)
def test_message_to_somebody_who_is_being_merged_goes_to_who_remains(
    aurora: House, aside: Callable[..., Future[Any]]
) -> None:
    """Its conversation is opened while the address is on its way to the other contact."""
    older, newer = person(aurora, "Ana", ANA), person(aurora, "Ana L.", BIA)
    history.account_of(aurora)
    with transaction.atomic():
        contacts.merge(aurora.principal(), newer, older)
        sending = aside(lambda: history.queued(aurora, to=BIA))
        wait_until_somebody_waits()
    assert sending.result(10).conversation.contact_id == older.pk


@pytest.mark.django_db(transaction=True)
def test_merging_takes_along_what_is_just_being_opened(aurora: House, aside: Callable[..., Future[Any]]) -> None:
    older, newer = person(aurora, "Ana", ANA), person(aurora, "Ana L.", BIA)
    history.account_of(aurora)
    with transaction.atomic():
        message = history.queued(aurora, to=BIA)
        merging = aside(lambda: contacts.merge(aurora.principal(), newer, older))
        wait_until_somebody_waits()
    merging.result(10)
    assert Conversation.across_organizations.get(pk=message.conversation_id).contact_id == older.pk
    assert Message.across_organizations.filter(pk=message.pk).exists()


@pytest.mark.django_db(transaction=True)
def test_two_merged_into_each_other_leave_one(aurora: House, aside: Callable[..., Future[Any]]) -> None:
    one, other = person(aurora, "Ana", ANA), person(aurora, "Ana L.", BIA)
    pairs = [(one, other), (other, one)]
    merging = [aside(lambda pair=pair: contacts.merge(aurora.principal(), *pair)) for pair in pairs]
    failed = [each.exception(10) for each in merging]
    assert sorted(type(each).__name__ for each in failed) == ["NoneType", "NotFound"]
    (left,) = Contact.across_organizations.all()
    assert phones(left) == [ANA, BIA]


@pytest.mark.django_db(transaction=True)
def test_address_added_twice_at_once_is_one_persons(aurora: House, aside: Callable[..., Future[Any]]) -> None:
    people = [person(aurora, "Ana"), person(aurora, "Bia")]
    way = (AddressKind.PHONE, ANA)
    adding = [aside(lambda each=each: contacts.add_address(aurora.principal(), each, way)) for each in people]
    failed = [each.exception(10) for each in adding]
    assert sorted(type(each).__name__ for each in failed) == ["AddressTaken", "NoneType"]
    assert ContactAddress.across_organizations.count() == 1
