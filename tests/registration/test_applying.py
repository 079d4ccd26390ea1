"""What was confirmed is in the vault once, and is told once, with words that are kept nowhere."""

from datetime import timedelta

import orjson
import pytest
from django.db import connection
from structlog.testing import capture_logs

from apps.channels.models import ChannelAccount
from apps.core import clock
from apps.core.standard_webhooks import new_secret
from apps.messaging import contacts
from apps.messaging.engine.accept import accept
from apps.messaging.engine.guards import Asked, Say, Stop
from apps.messaging.engine.new_message import NewMessage
from apps.messaging.models import Message
from apps.registration.applying import apply, tell
from apps.registration.models import Registration
from apps.registration.vault import people
from tests.cast import House
from tests.messaging.desk import BIA, open_account
from tests.registration.talks import Person, counter, live_flow

pytestmark = pytest.mark.django_db(transaction=True)

URL = "https://contas.aurora.example/cadastros"
WORDS = ("quero me cadastrar", "sim", "Ana Lima", "ana@exemplo.com.br", "não", "sim")


@pytest.fixture
def hook(aurora: House) -> ChannelAccount:
    return open_account(aurora, "webhook", credentials={"signing_secret": new_secret()})


@pytest.fixture
def ana(aurora: House, hook: ChannelAccount) -> Person:
    account = counter(aurora)
    live_flow(aurora, account, told_by=hook.id, told_at=URL)
    ana = Person(account)
    ana.says(*WORDS)
    return ana


def calls() -> list[Message]:
    return list(Message.across_organizations.filter(guard=tell.GUARD).order_by("id"))


def verdict_on(call: Message) -> object:
    assert call.guard_key is not None
    return tell.fill_in([Asked(call.guard_key, "webhook", URL)])[call.guard_key]


def test_confirmed_registration_is_applied_and_told_once(ana: Person) -> None:
    assert apply.apply(ana.registration.id)
    assert not apply.apply(ana.registration.id)
    (call,) = calls()
    assert call.text == apply.WORDS
    assert "ana@" not in orjson.dumps([call.content, call.metadata]).decode()
    said = verdict_on(call)
    assert isinstance(said, Say)
    told = orjson.loads(said.text)
    assert told["data"] == {"name": "Ana Lima", "email": "ana@exemplo.com.br"}
    assert told["registration_id"] == str(ana.registration.id)


def test_worker_that_dies_has_applied_nothing(ana: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(apply, "accept", _dies)
        with pytest.raises(KeyboardInterrupt):
            apply.apply(ana.registration.id)
    assert ana.registration.applied_at is None
    assert people.of_contact(ana.account.organization, ana.registration.contact_id) is None
    assert apply.apply(ana.registration.id)
    assert len(calls()) == 1


def test_who_was_merged_meanwhile_is_told_as_who_they_are(aurora: House, ana: Person) -> None:
    apply.apply(ana.registration.id)
    contacts.merge(aurora.principal(), ana.registration.contact, contacts.add(aurora.principal(), name="Ana"))
    assert isinstance(verdict_on(calls()[0]), Say)


def test_who_was_erased_meanwhile_is_told_to_nobody(aurora: House, ana: Person) -> None:
    apply.apply(ana.registration.id)
    assert ana.registration.person_id is not None
    people.erase(aurora.organization, ana.registration.person_id, actor=aurora.principal().actor, reason="asked")
    assert isinstance(verdict_on(calls()[0]), Stop)


def test_forgotten_registration_is_found(ana: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    assert apply.ring_forgotten() == 0
    monkeypatch.setattr(apply, "UNANSWERED", timedelta(0))
    assert apply.ring_forgotten() == 1
    apply.apply(ana.registration.id)
    assert apply.ring_forgotten() == 0


def _dies(*_: object) -> None:
    raise KeyboardInterrupt


def test_account_api_is_told_what_was_confirmed_to_it_and_no_more(aurora: House, hook: ChannelAccount) -> None:
    account = counter(aurora)
    live_flow(aurora, account)
    ana = Person(account)
    ana.says("cadastro", "sim", "Ana Lima", "ana@exemplo.com.br", "529.982.247-25", "sim")
    assert apply.apply(ana.registration.id)
    live_flow(
        aurora, account, {"kind": "name"}, name="Sorteio", keywords=["sorteio"], told_by=hook.id, told_at=URL
    )
    ana.says("sorteio", "sim", "Ana Lima", "sim")
    assert apply.apply(ana.registration.id)
    (call,) = calls()
    said = verdict_on(call)
    assert isinstance(said, Say)
    assert set(orjson.loads(said.text)["data"]) == {"name"}


def test_account_api_that_cannot_be_told_now_is_told_later(
    aurora: House, hook: ChannelAccount, ana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    ChannelAccount.across_organizations.filter(pk=hook.id).update(daily_quota=1)
    accept(aurora.organization, [NewMessage("x", account_id=hook.id, to=URL)])  # today's last
    assert apply.apply(ana.registration.id)
    assert calls() == []
    assert apply.tell_late() == 0
    ChannelAccount.across_organizations.filter(pk=hook.id).update(daily_quota=None)
    later = clock.now() + apply.TOLD_AGAIN
    monkeypatch.setattr(clock, "now", lambda: later)
    assert apply.tell_late() == 1
    assert len(calls()) == 1
    assert apply.tell_late() == 0


def test_account_api_that_can_never_be_told_is_given_up_some_day(
    aurora: House, hook: ChannelAccount, ana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    ChannelAccount.across_organizations.filter(pk=hook.id).update(daily_quota=1)
    accept(aurora.organization, [NewMessage("x", account_id=hook.id, to=URL)])
    assert apply.apply(ana.registration.id)
    Registration.across_organizations.update(
        applied_at=clock.now() - apply.TOLD_WITHIN - timedelta(hours=1), tell_at=clock.now()
    )
    with capture_logs() as logs:
        assert apply.tell_late() == 1
    assert [each["is_tried_again"] for each in logs if each["event"] == "registration_not_told"] == [False]
    assert ana.registration.tell_at is None


def test_person_whose_data_cannot_be_read_keeps_nobody_else_untold(
    aurora: House, hook: ChannelAccount, ana: Person
) -> None:
    account = ana.account
    bia = Person(account, BIA)
    bia.says("quero me cadastrar", "sim", "Bia Souza", "bia@exemplo.com.br", "não", "sim")
    for person in (ana, bia):
        assert apply.apply(person.registration.id)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE vault.field SET value = 'gone:x' WHERE person_id = %s", [ana.registration.person_id]
        )
    verdicts = tell.fill_in([Asked(each.id, "webhook", URL) for each in (ana.registration, bia.registration)])
    assert isinstance(verdicts[bia.registration.id], Say)
    unreadable = verdicts[ana.registration.id]
    assert isinstance(unreadable, Stop)
    assert unreadable.code == "unreadable"
