"""What two do at once comes out as if one had waited for the other."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, transaction
from pytest_django import Settings

from apps.accounts.principal import SYSTEM
from apps.core import clock, rotation
from apps.core.encryption import generate_key
from apps.core.ids import new_id
from apps.registration.kinds import Kind
from apps.registration.vault import people
from apps.registration.vault.models import Access, Applied, Person, PersonField
from apps.registration.vault.writing import Values
from tests.cast import House
from tests.registration.vault.told import WHY, known_values, read, write

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 8

# Begins some work on a connection of its own.
type Beside = Callable[[Callable[[], Any]], Future[Any]]


@pytest.fixture
def beside() -> Iterator[Beside]:
    def run(work: Callable[[], Any]) -> Any:
        try:
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        yield lambda work: pool.submit(run, work)


def wait_until_it_waits(other: Future[Any]) -> None:
    """For what this connection's transaction holds."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and not other.done():
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
            )
            (waiting,) = cursor.fetchone()
        if waiting:
            return
        time.sleep(0.01)
    pytest.fail("it did not wait")


def at_once(beside: Beside, *works: Callable[[], Any]) -> list[Any]:
    start = Barrier(len(works))

    def begin(work: Callable[[], Any]) -> Any:
        start.wait(10)
        return work()

    return [each.result(20) for each in [beside(partial(begin, work)) for work in works]]


def free(**values: str) -> Values:
    return {name: (Kind.FREE, value) for name, value in values.items()}


def test_two_first_writes_make_one_person(aurora: House, beside: Beside) -> None:
    contact_id = new_id()
    with transaction.atomic():
        first = write(aurora, free(colour="blue"), contact_id)
        second = beside(lambda: write(aurora, free(size="M"), contact_id))
        wait_until_it_waits(second)
    assert second.result(20) == first
    assert known_values(aurora, first) == {"size": "M", "colour": "blue"}


def test_writes_at_once_all_arrive(aurora: House, beside: Beside) -> None:
    for _round in range(ROUNDS):
        contact_id = new_id()
        values = [free(**{name: name, "same": name}) for name in ("one", "two", "three")]
        ids = at_once(beside, *(partial(write, aurora, told, contact_id) for told in values))
        assert len(set(ids)) == 1
        assert read(aurora, ids[0]).values.keys() == {"one", "two", "three", "same"}


def test_event_that_comes_twice_at_once_is_applied_once(aurora: House, beside: Beside) -> None:
    for _round in range(ROUNDS):
        again = partial(write, aurora, contact_id=new_id(), once=new_id())
        ids = at_once(beside, again, again, again)
        assert len(set(ids)) == 1
        assert Access.across_organizations.filter(person_id=ids[0]).count() == 1
    assert Applied.across_organizations.count() == ROUNDS


def test_write_that_waited_for_an_erasure_begins_anew(aurora: House, beside: Beside) -> None:
    contact_id = new_id()
    first = write(aurora, free(size="M"), contact_id)
    with transaction.atomic():
        people.erase(aurora.organization, first, actor=SYSTEM, reason=WHY)
        writing = beside(lambda: write(aurora, free(colour="blue"), contact_id))
        wait_until_it_waits(writing)
    second = writing.result(20)
    assert second != first
    assert known_values(aurora, second) == {"colour": "blue"}


def test_merging_waits_for_the_first_write_about_who_remains(aurora: House, beside: Beside) -> None:
    merged_contact, into_contact = new_id(), new_id()
    write(aurora, free(size="S", city="Recife"), merged_contact)
    with transaction.atomic():
        into = write(aurora, free(size="M"), into_contact)
        following = beside(lambda: people.follow_merged(aurora.organization, merged_contact, into_contact))
        wait_until_it_waits(following)
    following.result(20)
    assert known_values(aurora, into) == {"size": "M", "city": "Recife"}
    assert Person.across_organizations.count() == 1


def test_merging_both_ways_at_once_ends(aurora: House, beside: Beside) -> None:
    follow = partial(people.follow_merged, aurora.organization)
    for _round in range(ROUNDS):
        one, other = new_id(), new_id()
        write(aurora, free(size="S"), one)
        write(aurora, free(city="Recife"), other)
        at_once(beside, partial(follow, one, other), partial(follow, other, one))
        (person_id,) = filter(None, (people.of_contact(aurora.organization, each) for each in (one, other)))
        assert known_values(aurora, person_id) == {"size": "S", "city": "Recife"}


def test_expiry_leaves_alone_who_is_being_written_to(aurora: House, beside: Beside) -> None:
    contact_id, now = new_id(), clock.now()
    person_id = write(aurora, contact_id=contact_id, keep_until=now)
    later = now + timedelta(days=1)
    with transaction.atomic():
        write(aurora, contact_id=contact_id, keep_until=later)
        assert beside(lambda: people.forget_expired(now, 10)).result(20) == []
    assert read(aurora, person_id).keep_until == later


def test_rotation_beside_writes_ends_and_loses_nothing(aurora: House, beside: Beside, settings: Settings) -> None:
    contact_id = new_id()
    names = [f"question_{number}" for number in range(20)]
    person_id = write(aurora, free(**dict.fromkeys(names, "old")), contact_id)
    rotate = dict(rotation.places())["vault.PersonField.value"]
    # In the other order than the rotation's, were it not for the locks.
    new = free(**dict.fromkeys(reversed(names), "new"))
    for number in range(ROUNDS):
        settings.ENCRYPTION_KEYS = {f"next{number}": generate_key(), **settings.ENCRYPTION_KEYS}
        at_once(beside, partial(rotate, 20), partial(write, aurora, new, contact_id), partial(rotate, 20))
        assert set(known_values(aurora, person_id).values()) == {"new"}
        assert rotate(20) == 0
    assert PersonField.across_organizations.count() == 20
