"""Persons go when somebody says so or their time is over, and the log says that they did."""

from datetime import timedelta

import pytest
from rest_framework.exceptions import NotFound

from apps.accounts.principal import SYSTEM, actor_of
from apps.core import clock
from apps.core.ids import new_id
from apps.registration.kinds import Kind
from apps.registration.vault import people, removal
from apps.registration.vault.models import Access, Applied, Person, PersonField
from tests.cast import House
from tests.registration.vault.told import ANA, EMAIL, find, known_values, logged, read, write

pytestmark = pytest.mark.django_db


def test_erased_person_leaves_only_the_log(aurora: House) -> None:
    person_id, other = write(aurora), write(aurora, {"email": ANA["email"]})
    actor = actor_of(aurora.owner.user)
    assert people.erase(aurora.organization, person_id, actor=actor, reason="the person asked for it") == 4
    with pytest.raises(NotFound):
        read(aurora, person_id)
    assert find(aurora, Kind.EMAIL, EMAIL) == [other]
    assert PersonField.across_organizations.count() == 1
    erased, written = people.accesses(aurora.organization, person_id=person_id)
    assert (erased.action, erased.fields) == ("erased", ["email", "name", "phone", "tax_id"])
    assert (erased.actor_label, erased.reason) == ("owner@aurora.example", "the person asked for it")
    assert written.action == "written"
    with pytest.raises(NotFound):
        people.erase(aurora.organization, person_id, actor=actor, reason="the person asked for it")


def test_contact_of_an_erased_person_can_tell_anew(aurora: House) -> None:
    contact_id = new_id()
    first = write(aurora, contact_id=contact_id)
    people.erase(aurora.organization, first, actor=SYSTEM, reason="the person asked for it")
    second = write(aurora, {"email": ANA["email"]}, contact_id)
    assert second != first
    assert known_values(aurora, second) == {"email": EMAIL}


def test_whose_time_is_over_is_erased(aurora: House, boreal: House) -> None:
    now = clock.now()
    over = write(aurora, keep_until=now - timedelta(days=1))
    just_now = write(boreal, keep_until=now)
    stays = [write(aurora, keep_until=now + timedelta(seconds=1)), write(aurora)]
    assert people.forget_expired(now, 10) == [(aurora.organization.id, over), (boreal.organization.id, just_now)]
    assert set(Person.across_organizations.values_list("pk", flat=True)) == set(stays)
    assert PersonField.across_organizations.count() == 8
    entry = Access.across_organizations.get(organization_id=aurora.organization.id, action="erased")
    assert (entry.person_id, entry.actor_label, entry.reason) == (over, "Recado", removal.RETENTION_OVER)
    assert people.forget_expired(now, 10) == []


def test_expiry_goes_in_batches_and_no_further_than_it_may(aurora: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(removal, "BATCH", 2)
    now = clock.now()
    for _ in range(6):
        write(aurora, keep_until=now)
    assert len(people.forget_expired(now, 5)) == 5
    assert len(people.forget_expired(now, 5)) == 1
    assert [action for action, _person, _fields in logged()].count("erased") == 6


def test_later_write_can_prolong_and_never_shortens(aurora: House) -> None:
    soon = clock.now() + timedelta(days=1)
    later = soon + timedelta(days=1)
    for first, second, expected in (
        (soon, later, later), (later, soon, later), (None, soon, None), (soon, None, None),
    ):  # fmt: skip
        contact_id = new_id()
        person_id = write(aurora, contact_id=contact_id, keep_until=first)
        write(aurora, contact_id=contact_id, keep_until=second)
        assert read(aurora, person_id).keep_until == expected


def test_what_was_applied_long_ago_is_forgotten(aurora: House) -> None:
    old, recent = new_id(), new_id()
    write(aurora, once=old)
    write(aurora, once=recent)
    Applied.across_organizations.filter(pk=old).update(at=clock.now() - timedelta(days=40))
    assert people.forget_applied(clock.now() - timedelta(days=30), 10) == 1
    assert Applied.across_organizations.get().pk == recent
