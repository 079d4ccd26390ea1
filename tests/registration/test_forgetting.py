"""What is not kept for ever: what people wrote in a registration, some days after its end."""

from typing import Any

import pytest
from django.db import connection

from apps.core import clock
from apps.files.models import File
from apps.messaging import erasure, routes
from apps.messaging.models import MediaFetch, Message
from apps.registration import forgetting
from apps.registration.models import Registration, Turn
from tests.cast import House
from tests.messaging.desk import BIA, open_account
from tests.registration.talks import Person, counter, hear, live_flow
from tests.traces import traces_of

pytestmark = pytest.mark.django_db(transaction=True)
NAME = "Zuleica Quintanilha"


def talk(house: House, *texts: str) -> Person:
    """Somebody in a flow whose words are not kept once it has ended."""
    desk = counter(house)
    live_flow(house, desk, redact_after=0)
    person = Person(desk)
    person.says("cadastro", "sim", *texts)
    return person


def is_redacted(person: Person) -> bool:
    return person.registration.redacted_at is not None


def all_has_left() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM delivery")


def fetch_of(text: str) -> MediaFetch:
    """A file came with what they wrote, and is on its way to us."""
    message, now = Message.across_organizations.get(text=text), clock.now()
    return MediaFetch.across_organizations.create(
        message=message, organization=message.organization, free_at=now, due_at=now, created_at=now
    )


def test_file_that_somebody_sent_goes_with_their_words(aurora: House, file_store: Any) -> None:
    ana = talk(aurora)
    file = File.across_organizations.create(
        organization=aurora.organization, name="rg.jpg", size=1, sha256="0" * 64, media_type="image/jpeg",
        is_used=True, created_at=clock.now(),
    )  # fmt: skip
    ana.writes("meu rg")
    content = {"media": {"kind": "image", "file_id": str(file.id)}}
    Message.across_organizations.filter(text="meu rg").update(content=content)
    hear()
    ana.says("não quero mais")
    contact = ana.registration.contact
    forgetting.forget()
    assert not File.across_organizations.exists()
    erasure.erase(aurora.principal(), contact, "asked")
    assert not File.across_organizations.exists()


def test_words_beside_a_file_on_its_way_are_redacted_once_it_came(aurora: House) -> None:
    ana = talk(aurora)
    ana.writes(NAME)
    fetch = fetch_of(NAME)
    hear()
    ana.says("não quero mais")
    assert forgetting.forget()["registrations_redacted"] == 0
    assert not is_redacted(ana)
    assert [each.message_id for each in Turn.across_organizations.all()] == [fetch.message_id]
    fetch.delete()
    assert forgetting.forget()["registrations_redacted"] == 1
    assert is_redacted(ana)
    assert not Turn.across_organizations.exists()
    assert traces_of(NAME) == set()


def test_what_is_under_way_keeps_nobody_elses_words(aurora: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forgetting, "AT_ONCE", 1)
    ana = talk(aurora)
    ana.writes("Ana Lima")
    fetch_of("Ana Lima")
    hear()
    ana.says("não quero mais")
    bia = Person(ana.account, BIA)
    bia.says("cadastro", "sim", "Bia Reis", "não quero mais")
    ended = ana.registration.ended_at
    Registration.across_organizations.update(ended_at=ended)
    assert forgetting.forget()["registrations_redacted"] == 1
    assert is_redacted(bia)
    assert traces_of("Bia Reis") == set()


def test_only_so_many_are_forgotten_at_a_time(aurora: House, monkeypatch: pytest.MonkeyPatch) -> None:
    ana = talk(aurora, "não quero mais")
    Person(ana.account, BIA).says("cadastro", "não quero mais")
    monkeypatch.setattr(forgetting, "AT_ONCE", 1)
    monkeypatch.setattr(forgetting, "MOST_REGISTRATIONS", 1)
    assert [forgetting.forget()["registrations_redacted"] for _ in range(3)] == [1, 1, 0]


def test_mistyped_address_is_not_in_our_own_answer_either(aurora: House) -> None:
    talk(aurora, "Ana Lima", "zuleica.quintanilha@gmial.com", "não quero mais")
    all_has_left()
    forgetting.forget()
    assert traces_of("zuleica.quintanilha") == set()


def test_copy_that_a_route_forwarded_is_redacted_once_it_has_left(aurora: House) -> None:
    desk = counter(aurora)
    live_flow(aurora, desk, redact_after=0)
    routes.add(
        aurora.principal(), name="x", source_account=desk, source_conversation=None,
        target_account=open_account(aurora, "instagram"), target_address="1784140000000009",
    )  # fmt: skip
    ana = Person(desk)
    ana.says("cadastro", "sim", NAME, "não quero mais")
    forgetting.forget()
    assert not is_redacted(ana)
    all_has_left()
    forgetting.forget()
    assert is_redacted(ana)
    assert traces_of(NAME) == set()
