"""Receipts come doubled, reordered, before our own `sent`, and for messages that are not ours."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest

from apps.channels.callback import BadCallback
from apps.channels.models import ChannelAccount
from apps.core import clock
from apps.core.ids import new_id
from apps.messaging.engine.claim import claim
from apps.messaging.engine.outcome import Outcome, Result
from apps.messaging.engine.record import record
from apps.messaging.engine.recover import recover
from apps.messaging.engine.store import Stored
from apps.messaging.models import DeadLetter, Delivery, Message, MessageEvent, ParkedReceipt, ProviderCallback
from apps.messaging.models.provider_callback import MOST_FAILURES
from tests.cast import House
from tests.messaging.callbacks import hand_over, work_on_callbacks
from tests.messaging.desk import ANA, CREDENTIALS, Desk, open_account
from tests.messaging.provider import Provider

pytestmark = pytest.mark.django_db(transaction=True)


def whatsapp_callback(
    *statuses: dict[str, Any], number: str = CREDENTIALS["whatsapp_cloud"]["phone_number_id"]
) -> bytes:
    value = {"messaging_product": "whatsapp", "metadata": {"phone_number_id": number}, "statuses": list(statuses)}
    changes = [{"field": "messages", "value": value}]
    return orjson.dumps({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": changes}]})


def status(
    word: str, message_id: UUID | None = None, provider_id: str = "wamid.1", **extra: Any
) -> dict[str, Any]:
    echoed = {"biz_opaque_callback_data": str(message_id)} if message_id else {}
    return {"id": provider_id, "status": word, "timestamp": "1790000000", "recipient_id": "55", **echoed, **extra}


def deliver_receipts(*statuses: dict[str, Any]) -> None:
    stored = hand_over("whatsapp_cloud", whatsapp_callback(*statuses))
    assert stored is not Stored.NOT_OURS
    assert work_on_callbacks() == (stored is Stored.YES)


def store_unread(*statuses: dict[str, Any]) -> None:
    """Whoever works on callbacks is late."""
    assert hand_over("whatsapp_cloud", whatsapp_callback(*statuses)) is Stored.YES
    ProviderCallback.objects.update(received_at=clock.now() - timedelta(seconds=5))


def sent_message(desk: Desk) -> UUID:
    (message,) = desk.accept("Bom dia")
    desk.drain()
    return message


def test_receipts_move_a_message_forward(desk: Desk) -> None:
    message = sent_message(desk)
    deliver_receipts(status("sent", message), status("delivered", message), status("read", message))
    assert desk.status(message) == "read"
    assert desk.story(message) == ["queued", "sending", "sent", "delivered", "read"]
    assert ProviderCallback.objects.count() == 0


@pytest.mark.parametrize("words", list(itertools.permutations(["sent", "delivered", "read"])))
def test_order_of_receipts_does_not_matter_and_each_counts_once(desk: Desk, words: tuple[str, ...]) -> None:
    message = sent_message(desk)
    for word in [*words, *words]:
        deliver_receipts(status(word, message))
    assert desk.status(message) == "read"
    story = desk.story(message)
    assert len(story) == len(set(story))


def test_receipt_that_comes_before_our_own_sent_counts(desk: Desk) -> None:
    (message,) = desk.accept("Bom dia")
    taken = claim(desk.account, 1)

    deliver_receipts(status("delivered", message))
    assert desk.status(message) == "delivered"
    conversation = taken.deliveries[0].conversation_id
    record([Outcome(message, conversation, taken.lease, Result.SENT, provider_id="wamid.9")])

    assert desk.story(message) == ["queued", "sending", "delivered"]
    assert desk.waiting() == 0


def test_receipt_settles_an_unknown_outcome_and_lets_the_next_message_go(desk: Desk, provider: Provider) -> None:
    provider.break_with({"kind": "cut_after", "times": 1})
    first, second = desk.accept("1", "2")
    desk.drain()

    deliver_receipts(status("sent", first, "wamid.7"))
    desk.drain()

    assert desk.statuses([first, second]) == ["sent", "sent"]
    assert provider.received_by(ANA) == [str(first), str(second)]
    assert Message.across_organizations.get(pk=first).provider_id == "wamid.7"


def test_nothing_is_sent_again_while_its_receipt_waits_to_be_read(desk: Desk, provider: Provider) -> None:
    provider.break_with({"kind": "cut_after", "times": 1})
    (message,) = desk.accept("1")
    desk.drain()
    store_unread(status("sent", message, "wamid.7"))
    desk.let_pass(100)

    recover()
    assert desk.story(message) == ["queued", "sending", "unknown"]
    work_on_callbacks()
    recover()
    desk.drain()
    assert desk.status(message) == "sent"
    assert provider.received_by(ANA) == [str(message)]


def test_receipt_after_the_worker_died_settles_too(desk: Desk) -> None:
    (message,) = desk.accept("1")
    claim(desk.account, 1)  # sent, and then the worker died
    deliver_receipts(status("delivered", message))
    assert desk.waiting() == 1  # the lease still holds
    desk.let_pass(100)

    recover()

    assert desk.waiting() == 0
    assert desk.status(message) == "delivered"


def test_receipt_while_a_repetition_waits_prevents_it(desk: Desk) -> None:
    (message,) = desk.accept("1")
    claim(desk.account, 1)
    desk.let_pass(100)
    recover()
    desk.let_pass(100)
    assert recover()["unknown"] == 1
    assert Delivery.across_organizations.get().state == "waiting"

    deliver_receipts(status("sent", message))

    assert desk.waiting() == 0
    assert "claimed" not in desk.drain()


def test_late_proof_of_delivery_corrects_a_failure(desk: Desk, provider: Provider) -> None:
    provider.break_with({"kind": "blocked", "times": 1})
    (message,) = desk.accept("1")
    desk.drain()
    assert desk.status(message) == "failed"

    deliver_receipts(status("delivered", message))

    assert desk.status(message) == "delivered"
    assert DeadLetter.across_organizations.get().state == "resolved"


def test_failure_that_the_provider_reports_later_is_a_dead_letter(desk: Desk) -> None:
    message = sent_message(desk)
    deliver_receipts(status("failed", message, errors=[{"code": 131026, "title": "Undeliverable"}]))

    letter = DeadLetter.across_organizations.get()
    assert (letter.message_id, letter.error_class, letter.error_code) == (message, "recipient_rejected", "131026")
    assert desk.status(message) == "failed"


def test_receipt_of_somebody_elses_message_changes_nothing(desk: Desk, boreal: House) -> None:
    theirs = open_account(boreal, "whatsapp_cloud")
    their_desk = Desk(boreal.organization, theirs, desk.loop)
    (message,) = their_desk.accept("Oi")
    their_number = {"phone_number_id": "999"}
    their_desk.change(credentials=their_number)

    deliver_receipts(status("read", message))

    assert desk.status(message) == "queued"
    assert ParkedReceipt.objects.count() == 1


def test_receipts_without_an_echo_find_their_message_by_the_providers_id(aurora: House, desk: Desk) -> None:
    instagram = open_account(aurora, "instagram")
    own = Desk(aurora.organization, instagram, desk.loop)
    (message,) = own.accept("Oi", to="1784140000000009")
    own.drain()
    mid = Message.across_organizations.get(pk=message).provider_id
    event = {"sender": {"id": "1"}, "recipient": {"id": "2"}, "timestamp": 1_790_000_000_000, "read": {"mid": mid}}
    entry = {"id": CREDENTIALS["instagram"]["instagram_id"], "time": 1, "messaging": [event]}

    assert Stored.YES is hand_over("instagram", orjson.dumps({"object": "instagram", "entry": [entry]}))
    work_on_callbacks()

    assert own.status(message) == "read"


def test_receipt_that_came_too_early_is_parked_until_its_message_is_known(aurora: House, desk: Desk) -> None:
    message = sent_message(desk)
    Message.across_organizations.update(provider_id=None)
    deliver_receipts(status("delivered", None, "wamid.early"))
    assert ParkedReceipt.objects.count() == 1
    assert "receipts" not in recover()

    Message.across_organizations.update(provider_id="wamid.early")

    assert recover()["receipts"] == 1
    assert desk.status(message) == "delivered"
    assert ParkedReceipt.objects.count() == 0


def test_receipts_for_unknown_messages_are_forgotten_in_the_end(desk: Desk) -> None:
    deliver_receipts(status("read", new_id(), "wamid.unknown"))
    ParkedReceipt.objects.update(parked_at=datetime(2020, 1, 1, tzinfo=UTC))
    recover()
    assert ParkedReceipt.objects.count() == 0


def test_time_of_a_receipt_is_the_providers_and_never_in_the_future(desk: Desk) -> None:
    message = sent_message(desk)
    deliver_receipts(status("delivered", message), status("read", message, timestamp="99999999999"))
    events = MessageEvent.across_organizations.filter(message=message)
    assert events.get(kind="read").at <= datetime.now(UTC)  # noqa: TID251


@pytest.mark.parametrize("secret", ["wrong", ""])
def test_callback_that_our_accounts_provider_did_not_sign_is_refused(desk: Desk, secret: str) -> None:
    assert hand_over("whatsapp_cloud", whatsapp_callback(status("read")), secret) is Stored.NOT_OURS
    assert ProviderCallback.objects.count() == 0


def test_stranger_with_the_same_number_speaks_only_for_their_own_account(desk: Desk, boreal: House) -> None:
    """Whoever registers our number with a secret of their own can sign, but moves nothing of ours."""
    credentials = {**CREDENTIALS["whatsapp_cloud"], "app_secret": "their-secret"}
    open_account(boreal, "whatsapp_cloud", name="thief")
    ChannelAccount.across_organizations.filter(organization=boreal.organization).update(
        credentials=orjson.dumps(credentials).decode()
    )
    message = sent_message(desk)

    stored = hand_over("whatsapp_cloud", whatsapp_callback(status("read", message)), "their-secret")
    assert stored is Stored.YES
    work_on_callbacks()

    assert desk.status(message) == "sent"


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"object":"page"}', b"\xff\xfe", b"[" * 1000])
def test_callback_in_no_known_shape_is_refused(desk: Desk, body: bytes) -> None:
    with pytest.raises(BadCallback):
        hand_over("whatsapp_cloud", body)


def test_callback_that_cannot_be_worked_on_keeps_no_other_waiting(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = sent_message(desk)
    hand_over("whatsapp_cloud", whatsapp_callback(status("read", message)))
    hand_over("whatsapp_cloud", whatsapp_callback(status("delivered", message)))
    poisoned = ProviderCallback.objects.order_by("pk").first()
    assert poisoned is not None
    ProviderCallback.objects.filter(pk=poisoned.pk).update(body=b"{}")

    work_on_callbacks()

    assert desk.status(message) == "delivered"
    assert list(ProviderCallback.objects.values_list("failures", flat=True)) == [1]
    for _ in range(10):
        work_on_callbacks()
    assert list(ProviderCallback.objects.values_list("failures", flat=True)) == [MOST_FAILURES]
