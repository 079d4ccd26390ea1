"""Somebody is erased while their messages are on their way: nothing leaves any more, and no words come back."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from apps.core import clock
from apps.messaging import contacts, erasure, routes
from apps.messaging.engine import accept
from apps.messaging.engine.fallback import take_due
from apps.messaging.engine.new_message import NewMessage
from apps.messaging.engine.recover import recover
from apps.messaging.engine.replay import replay
from apps.messaging.engine.store import lane_of
from apps.messaging.erasure import erase
from apps.messaging.models import (
    Conversation,
    DeadLetter,
    Delivery,
    Message,
    ParkedReceipt,
    ProviderCallback,
)
from tests.cast import Api, House
from tests.messaging.desk import ANA, BIA, Desk, open_account
from tests.messaging.left_behind import NAME, REASON, WORD, ana_of, erase_ana, talk
from tests.messaging.provider import Provider
from tests.messaging.test_incoming import callback, come_in, said
from tests.messaging.test_receipts import deliver_receipts, status
from tests.traces import traces_of

pytestmark = pytest.mark.django_db(transaction=True)


def test_nothing_is_sent_any_more(desk: Desk, aurora: House, provider: Provider) -> None:
    talk(aurora, desk, provider)
    sent = provider.received_by(ANA)
    report = erase_ana(aurora)
    assert report.counts["messaging"]["under_way"] == 0
    with connection.cursor() as cursor:
        cursor.execute("UPDATE message_fallback SET due_at = now()")
    assert take_due() == 0
    desk.let_pass(10**6)
    recover()
    desk.drain()
    assert replay(desk.organization, list(DeadLetter.across_organizations.values_list("pk", flat=True))) == []
    assert provider.received_by(ANA) == sent
    assert not Delivery.across_organizations.exists()
    conversation = Conversation.across_organizations.get(account=desk.account, address__startswith="erased:")
    for to in ({"conversation_id": conversation.pk}, {"account_id": desk.account.id, "to": conversation.address}):
        (refused,) = desk.answers([NewMessage(text="Oi", **to)])
        assert getattr(refused, "code", "") in {"conversation_closed", "left"}


def test_what_is_at_a_provider_does_not_leave_again(desk: Desk, aurora: House, provider: Provider) -> None:
    desk.change(on_unknown="retry", unknown_wait=60)
    provider.break_with({"kind": "cut_after", "times": 1})
    (message,) = desk.accept("Oi")
    desk.drain()
    assert Delivery.across_organizations.get().state == "unknown"
    got = provider.received_by(ANA)
    assert erase_ana(aurora).counts["messaging"]["under_way"] == 1
    desk.let_pass(61)
    recover()
    desk.drain()
    recover()
    assert provider.received_by(ANA) == got
    assert desk.status(message) in {"expired", "cancelled"}
    assert not Delivery.across_organizations.exists()


def test_what_is_accepted_at_that_moment_is_not_sent(
    desk: Desk, aurora: House, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.accept("Oi")
    ana, look_up = ana_of(aurora), accept._look_up

    def erased_meanwhile(*given: Any) -> Any:
        monkeypatch.undo()
        with ThreadPoolExecutor(1) as other:
            other.submit(in_connection_of_its_own, lambda: erase(aurora.principal(), ana, REASON)).result(20)
        return look_up(*given)

    monkeypatch.setattr(accept, "_look_up", erased_meanwhile)
    late = desk.accept(WORD, WORD)
    assert traces_of(WORD) == {"message.text"}
    desk.drain()
    assert desk.statuses(late) == ["cancelled", "cancelled"]
    assert provider.received_by(ANA) == []
    erase(aurora.principal(), ana, REASON)
    assert not traces_of(WORD)


def in_connection_of_its_own(work: Callable[[], Any]) -> None:
    try:
        work()
    finally:
        connection.close()


def test_what_members_do_meanwhile_is_not_told(desk: Desk, aurora: House, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.accept("Oi")
    ana = ana_of(aurora)

    def rename(*_given: object) -> dict[str, int]:
        contacts.change(aurora.principal(), ana, name=NAME)
        return {}

    monkeypatch.setattr(erasure, "_erasers", {"meanwhile": rename})
    erase(aurora.principal(), ana, REASON)
    assert not traces_of(NAME)


def test_receipt_that_comes_late_still_counts(desk: Desk, aurora: House) -> None:
    (message,) = desk.accept("Oi")
    desk.drain()
    ParkedReceipt.objects.create(
        account_id=desk.account.id, provider_id=Message.across_organizations.get().provider_id or "",
        status="read", at=clock.now(), parked_at=clock.now(),
    )  # fmt: skip
    erase_ana(aurora)
    assert not ParkedReceipt.objects.exists()
    deliver_receipts(status("delivered", message))
    assert desk.status(message) == "delivered"


def test_forwards_of_her_words_go_wherever_they_are(desk: Desk, aurora: House, owner: Api) -> None:
    other = open_account(aurora, "instagram")
    routes.add(
        aurora.principal(), name="On", source_account=desk.account, source_conversation=None,
        target_account=other, target_address="1784140000000009",
    )  # fmt: skip
    come_in(said(WORD, "wamid.1"))
    come_in(said("kept", "wamid.2", sender=BIA.removeprefix("+")))
    erase_ana(aurora)
    forwards = Message.across_organizations.filter(forwarded_from_id__isnull=False).order_by("id")
    assert [(each.text, each.status) for each in forwards] == [("[erased]", "cancelled"), ("kept", "queued")]
    assert Delivery.across_organizations.get().is_head, "the next one of that conversation may go"


def test_callbacks_that_nobody_could_read_go(desk: Desk, aurora: House) -> None:
    come_in(said("Oi", "wamid.1"))
    bia = BIA.removeprefix("+")
    lying = {
        "hers": callback(said(WORD, "wamid.2")),
        "of both": callback(said(WORD, "wamid.3"), said("Oi", "wamid.4", sender=bia)),
        "of somebody else": callback(said("Oi", "wamid.5", sender=bia)),
        "names her, cannot be read": b"{ " + ANA.encode(),
        "cannot be read": b"{",
    }
    rows = {
        name: ProviderCallback.objects.create(
            connector="whatsapp_cloud", account_id=desk.account.id, lane=lane_of(desk.account.id), url="",
            body=body, received_at=clock.now(), failures=99,
        ).pk
        for name, body in lying.items()
    }  # fmt: skip
    done = erase_ana(aurora).counts["messaging"]
    assert (done["callbacks"], done["callbacks_of_others_too"]) == (2, 1)
    left = set(ProviderCallback.objects.values_list("pk", flat=True))
    assert {name for name, pk in rows.items() if pk in left} == {"of both", "of somebody else", "cannot be read"}
