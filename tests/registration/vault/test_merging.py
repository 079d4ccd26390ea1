"""Two contacts that turn out to be one have one person."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.principal import SYSTEM
from apps.core import clock
from apps.core.ids import new_id
from apps.registration.kinds import Kind
from apps.registration.vault import people
from apps.registration.vault.models import Person, PersonField
from apps.registration.vault.writing import Values
from tests.cast import House
from tests.registration.vault.told import WHY, find, known_values, logged, read, write

pytestmark = pytest.mark.django_db


def free(**values: str) -> Values:
    return {name: (Kind.FREE, value) for name, value in values.items()}


def follow(house: House, merged: UUID, into: UUID) -> None:
    people.follow_merged(house.organization, merged, into)


def test_of_each_field_the_younger_value_stays(aurora: House) -> None:
    merged_contact, into_contact = new_id(), new_id()
    merged = write(aurora, free(size="S", colour="red", city="Recife"), merged_contact)
    into = write(aurora, free(size="M", colour="blue", street="Rua Augusta"), into_contact)
    write(aurora, free(colour="green"), merged_contact)
    created_at = Person.across_organizations.get(pk=merged).created_at
    follow(aurora, merged_contact, into_contact)
    assert known_values(aurora, into) == {
        "size": "M", "colour": "green", "city": "Recife", "street": "Rua Augusta",
    }  # fmt: skip
    known = read(aurora, into)
    assert (known.contact_id, known.created_at) == (into_contact, created_at)
    assert people.of_contact(aurora.organization, merged_contact) is None
    assert Person.across_organizations.count() == 1
    assert PersonField.across_organizations.count() == 4


def test_of_two_values_of_one_moment_the_remaining_contacts_stays(aurora: House) -> None:
    merged_contact, into_contact = new_id(), new_id()
    into = write(aurora, free(size="M"), into_contact)
    write(aurora, free(size="S"), merged_contact)
    PersonField.across_organizations.update(changed_at=clock.now())
    follow(aurora, merged_contact, into_contact)
    assert known_values(aurora, into) == {"size": "M"}


def test_person_of_whom_only_the_merged_contact_tells_goes_with_it(aurora: House) -> None:
    merged_contact, into_contact = new_id(), new_id()
    person_id = write(aurora, contact_id=merged_contact)
    follow(aurora, merged_contact, into_contact)
    assert people.of_contact(aurora.organization, into_contact) == person_id
    follow(aurora, merged_contact, into_contact)
    follow(aurora, into_contact, into_contact)
    follow(aurora, new_id(), into_contact)
    assert logged()[1:] == [("written", person_id, [])], "the others changed nothing"


def test_merged_person_is_still_found_and_their_log_is_exported(aurora: House) -> None:
    contacts = [new_id() for _ in range(3)]
    persons = [write(aurora, free(size=str(number)), each) for number, each in enumerate(contacts)]
    write(aurora, {"email": (Kind.EMAIL, "ana@exemplo.com.br")}, contacts[0])
    follow(aurora, contacts[0], contacts[1])
    follow(aurora, contacts[1], contacts[2])
    assert find(aurora, Kind.EMAIL, "ana@exemplo.com.br") == [persons[2]]
    assert ("erased", persons[0], ["email", "size"]) in logged()
    assert ("written", persons[1], ["email"]) in logged()
    document = people.export(aurora.organization, persons[2], actor=SYSTEM, reason=WHY)
    actions = [each["action"] for each in document["accesses"]]
    assert sorted(actions) == ["erased"] * 2 + ["exported", "found"] + ["written"] * 6


def test_person_stays_as_long_as_the_longer_of_the_two(aurora: House) -> None:
    soon = clock.now() + timedelta(days=1)
    later = soon + timedelta(days=1)
    for ours, theirs, expected in ((soon, later, later), (later, soon, later), (None, soon, None)):
        merged_contact, into_contact = new_id(), new_id()
        write(aurora, contact_id=merged_contact, keep_until=theirs)
        into = write(aurora, contact_id=into_contact, keep_until=ours)
        follow(aurora, merged_contact, into_contact)
        assert read(aurora, into).keep_until == expected


def test_merging_costs_no_more_statements_for_many_fields(aurora: House) -> None:
    def statements(count: int) -> int:
        merged_contact, into_contact = new_id(), new_id()
        write(aurora, free(**{f"question_{number}": "a" for number in range(count)}), into_contact)
        write(aurora, free(**{f"question_{number}": "b" for number in range(count)}), merged_contact)
        with CaptureQueriesContext(connection) as queries:
            follow(aurora, merged_contact, into_contact)
        return len(queries)

    assert statements(1) == statements(20)
