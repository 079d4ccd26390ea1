"""The door to personal data: nobody goes through it unseen, or into another organization."""

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
import structlog
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from rest_framework.exceptions import NotFound

from apps.accounts.principal import SYSTEM, actor_of
from apps.accounts.tenancy import Unscoped
from apps.core.ids import new_id
from apps.registration.kinds import Kind
from apps.registration.vault import people
from apps.registration.vault.models import Access, Applied, Person, PersonField
from tests.cast import House
from tests.registration.vault.told import (
    ANA,
    EMAIL,
    NAME,
    TAX_ID,
    WHY,
    find,
    known_values,
    logged,
    read,
    write,
)

pytestmark = pytest.mark.django_db


def test_person_is_read_as_they_were_written(aurora: House) -> None:
    contact_id = new_id()
    person_id = write(aurora, contact_id=contact_id)
    known = read(aurora, person_id)
    assert (known.id, known.contact_id) == (person_id, contact_id)
    assert {name: (field.kind, field.value) for name, field in known.values.items()} == ANA
    assert people.of_contact(aurora.organization, contact_id) == person_id
    assert people.of_contact(aurora.organization, new_id()) is None


def test_write_changes_what_it_names_and_removes_what_it_empties(aurora: House) -> None:
    contact_id = new_id()
    first = write(aurora, contact_id=contact_id)
    before = read(aurora, first)
    changes = {"email": (Kind.EMAIL, "nova@exemplo.com.br"), "phone": (Kind.PHONE, "")}
    assert write(aurora, changes, contact_id) == first
    assert known_values(aurora, first) == {"name": NAME, "email": "nova@exemplo.com.br", "tax_id": TAX_ID}
    after = read(aurora, first)
    assert (after.created_at, after.values["name"]) == (before.created_at, before.values["name"])
    assert after.changed_at > before.changed_at
    assert after.values["email"].changed_at > before.values["email"].changed_at
    assert find(aurora, Kind.EMAIL, EMAIL) == []
    assert find(aurora, Kind.EMAIL, "nova@exemplo.com.br") == [first]


def test_only_the_fields_that_are_asked_for_are_read(aurora: House) -> None:
    person_id = write(aurora)
    assert known_values(aurora, person_id, fields=["email", "unknown"]) == {"email": EMAIL}
    assert logged()[-1] == ("read", person_id, ["email"])


def test_many_are_read_in_their_order_and_within_bounds(aurora: House, boreal: House) -> None:
    ours = [write(aurora, {"name": (Kind.NAME, f"Ana {number}")}) for number in range(3)]
    strange = write(boreal)
    wanted = [ours[2], strange, ours[0], ours[2], new_id()]
    found = people.read_many(aurora.organization, wanted, actor=SYSTEM, reason=WHY)
    assert [each.values["name"].value for each in found] == ["Ana 2", "Ana 0"]
    assert logged()[-2:] == [("read", ours[2], ["name"]), ("read", ours[0], ["name"])]
    with pytest.raises(ValueError, match="200"):
        people.read_many(aurora.organization, [new_id()] * 201, actor=SYSTEM, reason=WHY)


def test_persons_of_many_contacts_are_known_without_being_read(aurora: House, boreal: House) -> None:
    contacts = [new_id() for _ in range(4)]
    ours = {each: write(aurora, contact_id=each) for each in contacts[:2]}
    write(boreal, contact_id=contacts[2])
    before = logged()
    assert people.of_contacts(aurora.organization, contacts) == ours
    assert logged() == before


def test_persons_are_listed_newest_first(aurora: House, boreal: House) -> None:
    first, second, third = (write(aurora) for _ in range(3))
    write(boreal)
    assert [one.id for one in people.overview(aurora.organization, most=2)] == [third, second]
    assert [one.id for one in people.overview(aurora.organization, before=second)] == [first]


def test_person_is_found_by_what_identifies_them(aurora: House, boreal: House) -> None:
    person_id, other = write(aurora), write(aurora, {"mail_at_work": ANA["email"]})
    write(boreal)
    assert find(aurora, Kind.EMAIL, EMAIL) == [person_id, other]
    assert find(aurora, Kind.EMAIL, EMAIL.title()) == [person_id, other]
    assert logged()[-2:] == [("found", person_id, ["email"]), ("found", other, ["mail_at_work"])]
    assert find(aurora, Kind.TAX_ID, TAX_ID) == [person_id]
    assert find(aurora, Kind.PHONE, TAX_ID) == [], "a kind is never mistaken for another"
    with pytest.raises(ValueError, match="name"):
        find(aurora, Kind.NAME, NAME)


def test_search_that_finds_nobody_is_logged(aurora: House) -> None:
    assert find(aurora, Kind.EMAIL, EMAIL) == []
    assert logged() == [("found", None, [])]


def test_stranger_sees_nothing_and_changes_nothing(aurora: House, boreal: House) -> None:
    contact_id = new_id()
    person_id = write(aurora, contact_id=contact_id)
    before = logged()
    for door in (people.read, people.export, people.erase):
        with pytest.raises(NotFound):
            door(boreal.organization, person_id, actor=SYSTEM, reason=WHY)
    assert people.of_contact(boreal.organization, contact_id) is None
    assert people.accesses(boreal.organization) == []
    assert people.accesses(boreal.organization, person_id=person_id) == []
    people.follow_merged(boreal.organization, contact_id, new_id())
    assert logged() == before
    assert write(boreal, {"name": (Kind.NAME, "Bia")}, contact_id) != person_id
    assert known_values(aurora, person_id)["name"] == NAME


def test_vault_is_never_read_without_an_organization(aurora: House) -> None:
    write(aurora)
    for model in (Person, PersonField, Access, Applied):
        with pytest.raises(Unscoped):
            model.objects.count()
        with pytest.raises(Unscoped):
            model.objects.all().delete()
    assert Person.objects.for_organization(aurora.organization).count() == 1


def test_access_says_who_and_why(aurora: House) -> None:
    person_id = write(aurora)
    with structlog.contextvars.bound_contextvars(request_id="req-1"):
        read(aurora, person_id, actor=actor_of(aurora.agent.user), reason="  asked for their order  ")
    read_access, written = people.accesses(aurora.organization, person_id=person_id)
    assert (written.action, written.actor_label, written.fields) == (
        "written", "Recado", ["email", "name", "phone", "tax_id"],
    )  # fmt: skip
    assert (read_access.actor_kind, read_access.actor_label) == ("user", "agent@aurora.example")
    assert (read_access.reason, read_access.request_id) == ("asked for their order", "req-1")
    assert people.accesses(aurora.organization, before=read_access.id, most=5) == [written]
    assert Access.across_organizations.get(pk=read_access.id).actor_id == aurora.agent.user.pk


DOORS: dict[str, Callable[[House, UUID, str], Any]] = {
    "write": lambda house, _person, reason: write(house, reason=reason),
    "read": lambda house, person, reason: read(house, person, reason=reason),
    "read nobody": lambda house, _person, reason: people.read_many(
        house.organization, [], actor=SYSTEM, reason=reason
    ),
    "find": lambda house, _person, reason: people.find(
        house.organization, Kind.EMAIL, EMAIL, actor=SYSTEM, reason=reason
    ),
    "export": lambda house, person, reason: people.export(house.organization, person, actor=SYSTEM, reason=reason),
    "erase": lambda house, person, reason: people.erase(house.organization, person, actor=SYSTEM, reason=reason),
}


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS.keys())
@pytest.mark.parametrize("reason", ["", " \n"])
def test_nothing_happens_without_a_reason(aurora: House, door: Callable[..., Any], reason: str) -> None:
    person_id = write(aurora)
    before = logged()
    with pytest.raises(people.ReasonMissing):
        door(aurora, person_id, reason)
    assert logged() == before
    assert Person.across_organizations.count() == 1


def test_long_reason_is_cut(aurora: House) -> None:
    write(aurora, reason="x" * 300)
    assert Access.across_organizations.get().reason == "x" * 200


@pytest.mark.parametrize("door", ["write", "read", "find", "export", "erase"])
def test_access_that_cannot_be_logged_does_not_happen(
    aurora: House, door: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    person_id = write(aurora)

    def fail(_entries: Any) -> None:
        raise RuntimeError("the log is full")

    with monkeypatch.context() as patch:
        patch.setattr("apps.registration.vault.log.write", fail)
        with pytest.raises(RuntimeError, match="full"):
            DOORS[door](aurora, person_id, WHY)
    assert Person.across_organizations.count() == 1
    assert known_values(aurora, person_id)["name"] == NAME


def test_what_is_applied_twice_is_written_once(aurora: House) -> None:
    once, contact_id = new_id(), new_id()
    person_id = write(aurora, contact_id=contact_id, once=once)
    write(aurora, {"email": (Kind.EMAIL, "nova@exemplo.com.br")}, contact_id)
    before = logged()
    assert write(aurora, contact_id=contact_id, once=once) == person_id
    assert logged() == before
    assert known_values(aurora, person_id)["email"] == "nova@exemplo.com.br"


def test_what_failed_can_be_applied_again(aurora: House) -> None:
    once = new_id()
    with transaction.atomic():
        write(aurora, once=once)
        transaction.set_rollback(True)
    assert known_values(aurora, write(aurora, once=once))["name"] == NAME


def test_erased_person_is_not_brought_back_by_what_was_applied(aurora: House) -> None:
    once, contact_id = new_id(), new_id()
    person_id = write(aurora, contact_id=contact_id, once=once)
    people.erase(aurora.organization, person_id, actor=SYSTEM, reason=WHY)
    assert write(aurora, contact_id=contact_id, once=once) == person_id
    assert people.of_contact(aurora.organization, contact_id) is None


def test_ten_values_cost_no_more_statements_than_one(aurora: House) -> None:
    def statements(count: int, contact_id: UUID) -> int:
        values = {f"question_{number}": (Kind.FREE, "sim") for number in range(count)}
        with CaptureQueriesContext(connection) as queries:
            write(aurora, values, contact_id, once=new_id())
        return len([each for each in queries if "SAVEPOINT" not in each["sql"]])

    contact_id = new_id()
    assert statements(1, contact_id) == statements(10, contact_id) == statements(10, contact_id) == 6
    people_of_ten = [write(aurora) for _ in range(10)]
    for wanted in (people_of_ten[:1], people_of_ten):
        with CaptureQueriesContext(connection) as queries:
            people.read_many(aurora.organization, wanted, actor=SYSTEM, reason=WHY)
        assert len([each for each in queries if "SAVEPOINT" not in each["sql"]]) == 3


@pytest.mark.parametrize(
    "values",
    [
        {"": (Kind.FREE, "secret words")},
        {"x" * 41: (Kind.FREE, "secret words")},
        {"long": (Kind.FREE, "secret words" * 1_000)},
        {"half": (Kind.FREE, "secret words \ud83d")},
        {f"question_{number}": (Kind.FREE, "secret words") for number in range(101)},
    ],
    ids=["no name", "long name", "long value", "half a character", "too many"],
)
def test_what_cannot_be_kept_is_refused_without_being_shown(aurora: House, values: Any) -> None:
    with pytest.raises(ValueError, match=re.compile("field|value", re.IGNORECASE)) as refused:
        write(aurora, values)
    assert "secret" not in repr(refused.value)
    assert refused.value.__context__ is None
    assert not Person.across_organizations.exists()
