"""Files that cannot be had when their message leaves, and other ways to whom they were for."""

import hashlib
import time
from collections.abc import Iterator

import pytest

from apps.files.stores import store
from apps.files.stores.disk import DiskStore
from apps.files.stores.store import StoreUnavailable
from apps.messaging.engine import bring
from apps.messaging.engine.new_message import NewMessage, Refused, SendAs, Step, WantedFile
from apps.messaging.models import DeadLetter, Message, MessageEvent
from tests.cast import House
from tests.files.bringing import keep
from tests.messaging.desk import ANA, BIA, Desk, open_account
from tests.messaging.files.conftest import OpenDesk
from tests.messaging.files.kept import PDF
from tests.messaging.files.office import CHAT, LARGE, error_of, send, uploads
from tests.messaging.provider import Provider

pytestmark = pytest.mark.django_db(transaction=True)

REMOVED = ("message_rejected", "file_removed")
UNAVAILABLE = ("transient", "file_unavailable")


@pytest.mark.parametrize(("channel", "to"), [("telegram", CHAT), ("whatsapp_cloud", ANA)])
def test_message_whose_file_was_removed_fails_and_no_other(open_desk: OpenDesk, channel: str, to: str) -> None:
    desk = open_desk(channel)
    gone, there = keep(desk.organization), keep(desk.organization)
    lost, sent = send(desk, gone, to=to), send(desk, there, to=to[:-1] + "9")
    gone.delete()
    desk.drain()
    assert desk.statuses([lost, sent]) == ["failed", "sent"]
    assert error_of(lost) == REMOVED
    letter = DeadLetter.across_organizations.get()
    assert (letter.message_id, letter.error_code) == (lost, "file_removed")
    assert desk.waiting() == 0


def test_message_whose_bytes_are_gone_fails_too(open_desk: OpenDesk, provider: Provider) -> None:
    desk = open_desk("telegram")
    file = keep(desk.organization)
    message = send(desk, file, to=CHAT)
    store().remove(file.key)
    desk.drain()
    assert (desk.status(message), error_of(message)) == ("failed", REMOVED)
    assert provider.tally()["accepted"] == 0


def test_store_that_is_away_is_not_the_providers_fault(
    open_desk: OpenDesk, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> Iterator[bytes]:
        raise StoreUnavailable("The storage answers 503.")

    desk = open_desk("telegram", breaker_failures=1, retry_base_ms=600_000)
    message = send(desk, keep(desk.organization), to=CHAT)
    with monkeypatch.context() as broken:
        broken.setattr(DiskStore, "read", away)
        desk.drain()
    detail = MessageEvent.across_organizations.get(message=message, kind="retrying").detail
    assert (detail["error"], detail["code"]) == UNAVAILABLE
    desk.let_pass(600)
    desk.drain()
    assert desk.status(message) == "sent"
    assert provider.tally()["accepted"] == 1


def test_file_that_became_shorter_is_not_sent_as_if_it_were_whole(open_desk: OpenDesk, provider: Provider) -> None:
    desk = open_desk("telegram", retry_attempts=1)
    file = keep(desk.organization, LARGE)
    message = send(desk, file, to=CHAT)
    store().put(file.key, LARGE[:-1])
    desk.drain()
    assert (desk.status(message), error_of(message)) == ("failed", UNAVAILABLE)
    assert uploads(provider) == []


def test_store_that_is_slow_is_given_up(open_desk: OpenDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(*_: object) -> Iterator[bytes]:
        time.sleep(0.5)
        yield PDF

    desk = open_desk("telegram", retry_attempts=1)
    message = send(desk, keep(desk.organization, PDF), to=CHAT)
    monkeypatch.setattr(bring, "PIECE_SECONDS", 0.05)
    monkeypatch.setattr(DiskStore, "read", slow)
    desk.drain()
    assert error_of(message) == UNAVAILABLE


def test_file_whose_answer_is_cut_off_is_taken_and_nobody_knows(open_desk: OpenDesk, provider: Provider) -> None:
    desk = open_desk("telegram", on_unknown="dead_letter")
    provider.break_with({"kind": "cut_after", "provider": "telegram"})
    message = send(desk, keep(desk.organization), to=CHAT)
    desk.drain()
    assert (desk.status(message), error_of(message)) == ("failed", ("outcome_unknown", "no_answer"))
    assert len(uploads(provider)) == 1


# Other ways


def test_other_way_takes_the_file_as_its_channel_can(
    open_desk: OpenDesk, provider: Provider, aurora: House
) -> None:
    desk, telegram = open_desk("whatsapp_cloud"), open_account(aurora, "telegram")
    file = keep(desk.organization, PDF, "conta.pdf")
    provider.break_with({"kind": "blocked", "provider": "whatsapp"})
    send(desk, file, "Sua conta", fallback=(Step(telegram.id, to=CHAT),))
    desk.drain()
    Desk(desk.organization, telegram, desk.loop).drain()
    assert [upload["sha256"] for upload in uploads(provider)] == [hashlib.sha256(PDF).hexdigest()]


def test_other_way_that_carries_no_files_gets_a_link(
    open_desk: OpenDesk, provider: Provider, aurora: House
) -> None:
    desk, sms = open_desk("whatsapp_cloud"), open_account(aurora, "sms")
    file = keep(desk.organization, PDF, "conta.pdf")
    provider.break_with({"kind": "blocked", "provider": "whatsapp"})
    message = send(desk, file, "Sua conta", fallback=(Step(sms.id),))
    desk.drain()
    text = Message.across_organizations.get(fallback_of_id=message).text
    assert text.startswith("Sua conta\nhttp")


def test_other_way_that_would_be_a_link_is_refused_where_none_is_wanted(
    open_desk: OpenDesk, aurora: House
) -> None:
    desk, sms = open_desk("whatsapp_cloud"), open_account(aurora, "sms")
    wanted = WantedFile(keep(desk.organization, PDF, "conta.pdf").id, send_as=SendAs.ATTACHMENT)
    message = NewMessage(account_id=desk.account.id, to=ANA, file=wanted, fallback=(Step(sms.id),))
    (refused,) = desk.answers([message])
    assert isinstance(refused, Refused)
    assert (refused.field, refused.code) == ("fallback/0/", "not_carried")


def test_other_way_is_none_where_the_file_is_gone(open_desk: OpenDesk, aurora: House) -> None:
    desk, telegram = open_desk("whatsapp_cloud"), open_account(aurora, "telegram")
    file = keep(desk.organization)
    message = send(desk, file, to=BIA, fallback=(Step(telegram.id, to=CHAT),))
    file.delete()
    desk.drain()
    assert error_of(message) == REMOVED
    detail = MessageEvent.across_organizations.get(message=message, kind="fell_back").detail
    assert [each["code"] for each in detail["refused"]] == ["unknown_file"]
    assert DeadLetter.across_organizations.get().message_id == message
