"""What people write: into their conversation, once, in order, whatever dies meanwhile."""

from typing import Any

import orjson
import pytest
from django.db import DataError

from apps.messaging.engine import receive
from apps.messaging.engine.recover import recover
from apps.messaging.engine.store import LANES, Stored, lane_of
from apps.messaging.models import Contact, Conversation, Message, MessageEvent, ProviderCallback, SeenCallback
from apps.messaging.models.provider_callback import MOST_FAILURES
from tests.cast import House
from tests.messaging.callbacks import hand_over, work_on_callbacks
from tests.messaging.desk import CREDENTIALS, Desk, open_account

pytestmark = pytest.mark.django_db(transaction=True)
NUMBER = CREDENTIALS["whatsapp_cloud"]["phone_number_id"]
ANA, BIA = "5511912345601", "5511912345602"


def said(text: str, wamid: str, sender: str = ANA, at: int = 1_760_000_000, **more: Any) -> dict[str, Any]:
    return {"from": sender, "id": wamid, "timestamp": str(at), "type": "text", "text": {"body": text}, **more}


def callback(*messages: dict[str, Any], name: str = "Ana Lima") -> bytes:
    contacts = [{"wa_id": message["from"], "profile": {"name": name}} for message in messages]
    value = {"metadata": {"phone_number_id": NUMBER}, "contacts": contacts, "messages": list(messages)}
    entry = {"id": "1", "changes": [{"field": "messages", "value": value}]}
    return orjson.dumps({"object": "whatsapp_business_account", "entry": [entry]})


def come_in(*messages: dict[str, Any], **more: Any) -> None:
    assert hand_over("whatsapp_cloud", callback(*messages, **more)) is Stored.YES
    work_on_callbacks()


def inbound() -> list[Message]:
    return list(Message.across_organizations.filter(direction="inbound").order_by("id"))


def test_message_of_a_stranger_opens_a_conversation(desk: Desk) -> None:
    come_in(said("Bom dia", "wamid.1"))
    (message,) = inbound()
    assert (message.text, message.status, message.provider_id) == ("Bom dia", "received", "wamid.1")
    assert message.created_at.timestamp() == 1_760_000_000
    conversation = Conversation.across_organizations.get()
    assert (conversation.address, conversation.unread_count) == (f"+{ANA}", 1)
    assert conversation.last_inbound_at == message.created_at
    assert Contact.across_organizations.get().name == "Ana Lima"
    assert desk.story(message.id) == ["received"]


def test_brazilian_without_the_ninth_digit_is_whom_we_write_to_with_it(desk: Desk) -> None:
    come_in(said("Bom dia", "wamid.1", sender="551187654321"))
    desk.accept("Olá!", to="+55 11 98765-4321")
    desk.accept("Olá!", to="+55 11 8765-4321")
    # What stands on a desk has eight digits, and keeps them.
    desk.accept("Olá!", to="+55 11 3765-4321")
    found = Conversation.across_organizations.order_by("id").values_list("address", flat=True)
    assert list(found) == ["+5511987654321", "+551137654321"]


def test_message_that_is_told_again_counts_once(desk: Desk) -> None:
    come_in(said("Bom dia", "wamid.1"))
    assert hand_over("whatsapp_cloud", callback(said("Bom dia", "wamid.1"))) is Stored.AGAIN
    come_in(said("Bom dia", "wamid.1"), said("Tudo bem?", "wamid.2"))
    assert [message.text for message in inbound()] == ["Bom dia", "Tudo bem?"]
    assert Conversation.across_organizations.get().unread_count == 2


def test_messages_stay_in_the_order_in_which_they_came(desk: Desk) -> None:
    for n in range(30):
        hand_over("whatsapp_cloud", callback(said(f"{n}", f"wamid.{n}", ANA if n % 2 else BIA)))
    work_on_callbacks()
    for address, first in ((ANA, 1), (BIA, 0)):
        conversation = Conversation.across_organizations.get(address=f"+{address}")
        texts = Message.across_organizations.filter(conversation=conversation).order_by("id")
        assert list(texts.values_list("text", flat=True)) == [str(n) for n in range(first, 30, 2)]
        events = MessageEvent.across_organizations.filter(conversation_id=conversation.id).order_by("id")
        assert [event.message_id for event in events] == [message.id for message in texts]


def test_answer_names_the_message_that_it_answers(desk: Desk) -> None:
    (message,) = desk.accept("Pronto?")
    desk.drain()
    wamid = Message.across_organizations.get(pk=message).provider_id
    come_in(said("Sim", "wamid.9", context={"from": NUMBER, "id": wamid}))
    assert inbound()[0].reply_to_id == message


def test_closed_conversation_opens_again(desk: Desk) -> None:
    come_in(said("Oi", "wamid.1"))
    Conversation.across_organizations.update(closed_at="2026-01-01T00:00:00Z", unread_count=0)
    come_in(said("Ainda aí?", "wamid.2"))
    conversation = Conversation.across_organizations.get()
    assert (conversation.closed_at, conversation.unread_count) == (None, 1)


def test_worker_that_dies_in_the_middle_loses_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    hand_over("whatsapp_cloud", callback(said("Oi", "wamid.1")))

    class Killed(BaseException):
        pass

    def die(*_args: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr("apps.messaging.engine.forward.forward", die)
        with pytest.raises(Killed):
            work_on_callbacks()
    assert inbound() == []
    assert ProviderCallback.objects.count() == 1
    work_on_callbacks()
    assert [message.text for message in inbound()] == ["Oi"]


def test_sweep_rings_for_a_lane_that_nobody_rang_for(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    hand_over("whatsapp_cloud", callback(said("Oi", "wamid.1")))
    rung: list[str] = []
    monkeypatch.setattr(
        "apps.messaging.engine.bells.ring_again", lambda bells, _queue: rung.extend(bell.name for bell in bells)
    )
    recover()
    assert f"receive:{lane_of(desk.account.id)}" in rung


def test_one_lane_is_worked_on_by_one_at_a_time(desk: Desk) -> None:
    hand_over("whatsapp_cloud", callback(said("Oi", "wamid.1")))
    assert receive.receive_batch((lane_of(desk.account.id) + 1) % LANES) == 0
    assert receive.receive_batch(lane_of(desk.account.id)) == 1


def test_text_that_no_database_takes_is_kept_as_far_as_it_can(desk: Desk) -> None:
    come_in(said("a\0b" + "x" * 70_000, "wamid.1"), name="N\0" + "n" * 500)
    (message,) = inbound()
    assert message.text.startswith("abx")
    assert len(message.text) == 65_536


def test_message_from_an_impossible_address_keeps_no_other_waiting(desk: Desk) -> None:
    come_in(said("?", "wamid.1", sender="12"), said("Oi", "wamid.2"))
    assert [message.text for message in inbound()] == ["Oi"]
    assert ProviderCallback.objects.count() == 0


def test_poisoned_callback_stays_for_people_to_look_at(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: object) -> None:
        raise DataError("no")

    monkeypatch.setattr("apps.messaging.consent.words.heed", fail)
    hand_over("whatsapp_cloud", callback(said("Oi", "wamid.1")))
    for _ in range(10):
        work_on_callbacks()
    assert list(ProviderCallback.objects.values_list("failures", flat=True)) == [MOST_FAILURES]


def test_same_number_in_two_houses_is_two_conversations(desk: Desk, boreal: House) -> None:
    """Both have the secret: the callback is for both, and each has its own."""
    open_account(boreal, "whatsapp_cloud")
    come_in(said("Oi", "wamid.1"))
    assert {message.organization_id for message in inbound()} == {desk.organization.id, boreal.organization.id}


def test_old_digests_are_forgotten(desk: Desk) -> None:
    come_in(said("Oi", "wamid.1"))
    assert receive.forget_seen() == 0
    SeenCallback.objects.update(seen_at="2026-01-01T00:00:00Z")
    assert receive.forget_seen() == 1


def test_flood_of_one_account_delays_no_other_in_its_lane(desk: Desk, aurora: House) -> None:
    lane = lane_of(desk.account.id)
    others = (
        open_account(aurora, "whatsapp_cloud", name=str(n), credentials={"phone_number_id": f"9{n}"})
        for n in range(200)
    )
    other = next(account for account in others if lane_of(account.id) == lane)
    for n in range(100):
        hand_over("whatsapp_cloud", callback(said(f"{n}", f"wamid.{n}")))
    number = other.provider_account
    hand_over("whatsapp_cloud", callback(said("Oi", "wamid.other")).replace(NUMBER.encode(), number.encode()))
    receive.receive_batch(lane)
    mine = Message.across_organizations.filter(account=desk.account).order_by("id")
    assert list(mine.values_list("text", flat=True)) == [f"{n}" for n in range(receive.AT_ONCE - 1)]
    assert Message.across_organizations.filter(account=other).count() == 1
