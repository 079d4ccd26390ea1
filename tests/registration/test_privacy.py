"""Personal data is in the vault, encrypted, and in the messages that people wrote themselves; and nowhere else."""

import base64
import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings

from apps.core.redis import redis_at
from apps.registration import forgetting
from apps.registration.applying import apply
from apps.registration.models import Registration, RegistrationFlow
from tests.cast import House
from tests.registration.talks import Person, counter, live_flow
from tests.traces import traces_of

pytestmark = pytest.mark.django_db(transaction=True)

NAME, EMAIL, TAX_ID = "Zuleica Quintanilha", "zuleica.quintanilha@exemplo.com.br", "529.982.247-25"
WORDS = (NAME, EMAIL, TAX_ID, "52998224725", "Quintanilha")
SAID = ("quero me cadastrar", "sim", NAME, "zuleica arroba", EMAIL, TAX_ID, "o e-mail está errado", EMAIL, "sim")


@pytest.fixture
def registered(aurora: House) -> Person:
    account = counter(aurora)
    live_flow(aurora, account, redact_after=0)
    person = Person(account)
    person.says(*SAID)
    assert apply.apply(person.registration.id)
    return person


def in_redis() -> Iterator[str]:
    """All that is there: keys, values, and what stands encoded in tasks, which is what Flower shows."""
    for url in {settings.REDIS_URL, settings.BROKER_URL}:
        client = redis_at(url)
        for key in client.scan_iter(count=1000):
            yield key.decode(errors="replace")
            dumped = _value(client, key)
            yield dumped
            for encoded in re.findall(r"[A-Za-z0-9+/=]{24,}", dumped):
                try:
                    yield base64.b64decode(encoded).decode(errors="replace")
                except ValueError:
                    continue


def _value(client: Any, key: bytes) -> str:
    reads = {
        "string": client.get,
        "list": lambda name: client.lrange(name, 0, -1),
        "hash": client.hgetall,
        "set": client.smembers,
        "zset": lambda name: client.zrange(name, 0, -1),
        "stream": client.xrange,
    }
    return str(reads[client.type(key).decode()](key))


def test_logs_tasks_and_streams_hold_no_personal_data(
    aurora: House, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    account = counter(aurora)
    live_flow(aurora, account)
    person = Person(account)
    person.says(*SAID[:6])
    midway = list(in_redis())
    person.says(*SAID[6:])
    apply.apply(person.registration.id)
    out, err = capfd.readouterr()
    seen = [out, err, caplog.text, *midway, *in_redis()]
    assert any("registration.converse" in text for text in seen)
    for word in WORDS:
        assert not [text[:200] for text in seen if word.lower() in text.lower()], word


def test_database_holds_it_only_in_what_people_wrote(registered: Person) -> None:
    assert traces_of(*WORDS) == {"message.text"}


def test_what_people_wrote_is_redacted_when_its_time_is_over(registered: Person) -> None:
    forgetting.forget()
    assert registered.registration.redacted_at is not None
    assert traces_of(*WORDS) == set()
    assert forgetting.forget()["registrations_redacted"] == 0


def test_messages_stay_as_long_as_the_flow_says(registered: Person) -> None:
    RegistrationFlow.across_organizations.update(redact_after=1)
    forgetting.forget()
    assert traces_of(*WORDS) == {"message.text"}


def test_registration_shows_no_values_by_accident(registered: Person) -> None:
    registration = Registration.across_organizations.get()
    registration.confirmed = NAME
    assert NAME not in f"{registration!r} {registration}"
