"""Nobody is asked for ever, and a person of the team can take over and give back."""

from datetime import UTC, datetime, timedelta

import pytest

from apps.core import clock
from apps.core.api.problems import Conflict
from apps.core.redis import redis_client
from apps.messaging.models import Conversation
from apps.registration.conversation import hand_back, silence
from apps.registration.models import Registration
from tests.cast import House
from tests.registration.talks import Person, counter, hear, live_flow

pytestmark = pytest.mark.django_db(transaction=True)


class Time:
    def __init__(self) -> None:
        self.now = datetime(2026, 3, 2, 12, tzinfo=UTC)

    def passes(self, minutes: float) -> None:
        self.now += timedelta(minutes=minutes)


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    time = Time()
    monkeypatch.setattr(clock, "now", lambda: time.now)
    return time


@pytest.fixture
def ana(aurora: House) -> Person:
    account = counter(aurora)
    live_flow(aurora, account, remind_after=60, close_after=120)
    return Person(account)


def test_silence_is_broken_once_and_then_it_is_closed(ana: Person, time: Time) -> None:
    ana.says("quero me cadastrar", "sim")
    time.passes(59)
    assert silence.look() == 0
    time.passes(1)
    assert silence.look() == 1
    assert silence.look() == 0
    assert "nome completo" in ana.answers()[-1]
    time.passes(119)
    assert silence.look() == 0
    time.passes(1)
    assert silence.look() == 1
    assert "encerrei" in ana.answers()[-1]
    registration = ana.registration
    assert (registration.state, registration.step, registration.look_at) == ("silent", "name", None)
    assert silence.look() == 0
    assert ana.says("Ana Lima") == ""


def test_answer_after_the_reminder_goes_on(ana: Person, time: Time) -> None:
    ana.says("quero me cadastrar", "sim")
    time.passes(60)
    silence.look()
    ana.says("Ana Lima")
    assert ana.registration.reminded_at is None
    time.passes(60)
    silence.look()
    assert ana.registration.state == "asking"


def test_message_that_waits_when_it_is_closed_is_heard_as_a_new_one(ana: Person, time: Time) -> None:
    ana.says("quero me cadastrar", "sim")
    for minutes in (60, 120):
        time.passes(minutes)
        silence.look()
    ana.says("quero me cadastrar")
    assert Registration.across_organizations.count() == 2
    assert ana.registration.state == "consent"


@pytest.mark.parametrize("forgets", [False, True])
def test_person_of_the_team_hands_back_where_it_stopped(
    aurora: House, ana: Person, time: Time, forgets: bool
) -> None:
    ana.says("quero me cadastrar", "sim", "Ana Lima", "quero falar com um atendente")
    assert ana.registration.state == "with_person"
    time.passes(10_000)
    assert silence.look() == 0
    assert ana.says("alguém aí?") == ""
    if forgets:
        redis_client().flushdb()
    hand_back.hand_back(aurora.principal(), ana.registration)
    assert "e-mail" in ana.answers()[-1]
    assert ana.registration.state == "asking"
    assert not Conversation.across_organizations.get(pk=ana.registration.conversation_id).labels.exists()
    ana.says("ana@exemplo.com.br", "não", "sim")
    assert ana.registration.state == "completed"


def test_only_what_a_person_has_is_handed_back(aurora: House, ana: Person, time: Time) -> None:
    ana.says("quero me cadastrar")
    with pytest.raises(Conflict):
        hand_back.hand_back(aurora.principal(), ana.registration)


def test_cancelled_by_the_team_it_has_ended_without_a_word(aurora: House, ana: Person, time: Time) -> None:
    ana.says("quero me cadastrar", "sim")
    before = len(ana.answers())
    hand_back.cancel(aurora.principal(), ana.registration)
    assert ana.registration.state == "cancelled"
    assert len(ana.answers()) == before
    ana.writes("Ana Lima")
    hear()
    assert len(ana.answers()) == before
    with pytest.raises(Conflict):
        hand_back.cancel(aurora.principal(), ana.registration)
