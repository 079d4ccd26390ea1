import threading, time
from typing import Any
import orjson, pytest
from django.db import connection, transaction, OperationalError
from apps.channels import accounts
from apps.channels.callback import ReceiptStatus
from apps.core import clock
from apps.messaging.engine import fallback, forward, order, receive
from apps.messaging.engine.new_message import NewMessage, Step, Accepted
from apps.messaging.engine.reconcile import KnownReceipt, apply
from apps.messaging.engine.store import LANES, Stored, lane_of
from apps.messaging.models import Message, Suppression, ProviderCallback, Conversation, MessageFallback, ContactAddress, Route
from apps.messaging import conversations, routes
from apps.messaging.consent import suppressions
from tests.cast import House
from tests.messaging.callbacks import hand_over, work_on_callbacks
from tests.messaging.desk import ANA, CREDENTIALS, Desk, open_account
from tests.messaging.test_incoming import callback, said, come_in

pytestmark = pytest.mark.django_db(transaction=True)
IG = "1784140000000009"


def test_squatters(boreal: House, desk: Desk) -> None:
    number = {**CREDENTIALS["whatsapp_cloud"], "app_secret": "a secret of their own"}
    from apps.accounts.principal import Principal
    from django.db import connection
    for n in range(101):
        accounts.add(Principal.of_system(boreal.organization), connector="whatsapp_cloud", name=f"squat {n}", credentials=number)
    # the victim's row was updated since (a pause, say): it lies behind the others
    desk.change(name="renamed")
    assert hand_over("whatsapp_cloud", callback(said("Oi", "wamid.1"))) is Stored.YES


def waits(n=1):
    end = time.monotonic() + 10
    while time.monotonic() < end:
        with connection.cursor() as c:
            c.execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type='Lock' AND datname=current_database()")
            if c.fetchone()[0] >= n: return
        time.sleep(0.02)
    raise AssertionError("nobody waits")


def in_thread(what):
    out = {}
    def run():
        try: out["value"] = what()
        except BaseException as e: out["error"] = e
        finally: connection.close()
    t = threading.Thread(target=run); t.start()
    return t, out


def test_receipt_and_fallback(aurora: House, desk: Desk) -> None:
    other = open_account(aurora, "instagram")
    (answer,) = desk.answers([NewMessage(text="Oi", account_id=desk.account.id, to=ANA, fallback=(Step(other.id, to=IG),), delivered_within=60)])
    assert isinstance(answer, Accepted)
    desk.drain()
    m = Message.across_organizations.get(pk=answer.id)
    assert m.status == "sent"
    MessageFallback.across_organizations.update(due_at=clock.now().replace(year=2020))
    with transaction.atomic():
        with connection.cursor() as c:
            order.lock(c, [m.conversation_id])
            c.execute("SELECT 1 FROM message WHERE id=%s FOR NO KEY UPDATE", [m.id])
        t, out = in_thread(fallback.take_due)
        waits()
        apply([KnownReceipt(desk.account.id, m.provider_id, ReceiptStatus.DELIVERED, clock.now())])
    t.join()
    assert "error" not in out, out
    m.refresh_from_db()
    assert m.status == "delivered"
    assert not Message.across_organizations.filter(fallback_of_id=m.id).exists()


def test_two_lanes(aurora: House, desk: Desk, monkeypatch) -> None:
    n = 0
    other = open_account(aurora, "instagram")
    while lane_of(other.id) == lane_of(desk.account.id):
        n += 1
        c = {**CREDENTIALS["instagram"], "instagram_id": f"178414{n}"}
        other = accounts.add(aurora.principal(), connector="instagram", name=f"ig{n}", credentials=c, reply_window="left_to_provider")
    routes.add(aurora.principal(), name="a", source_account=desk.account, target_account=other, target_address=IG)
    routes.add(aurora.principal(), name="b", source_account=other, target_account=desk.account, target_address=ANA)
    ig_id = other.credential_values["instagram_id"]
    def ig(mid, text):
        e = {"sender": {"id": IG}, "recipient": {"id": ig_id}, "timestamp": 1760000000000, "message": {"mid": mid, "text": text}}
        return orjson.dumps({"object": "instagram", "entry": [{"id": ig_id, "time": 1, "messaging": [e]}]})
    # known to each other
    come_in(said("first", "wamid.0"))
    hand_over("instagram", ig("m0", "erste")); work_on_callbacks()
    hand_over("whatsapp_cloud", callback(said("a", "wamid.1")))
    hand_over("instagram", ig("m1", "b"))
    barrier = threading.Barrier(2)
    real = forward.accept
    seen = threading.local()
    def held(*a):
        if not getattr(seen, "was", False):
            seen.was = True
            barrier.wait(5)
        return real(*a)
    monkeypatch.setattr(forward, "accept", held)
    ts = [in_thread(lambda lane=lane: receive.receive_batch(lane)) for lane in (lane_of(desk.account.id), lane_of(other.id))]
    for t, _ in ts: t.join()
    assert [o.get("error") for _, o in ts] == [None, None]
    assert not ProviderCallback.objects.exists()


def test_moved_keeps_opt_out(aurora: House, desk: Desk) -> None:
    come_in(said("STOP", "wamid.1"))
    assert Suppression.across_organizations.count() == 1
    new = "5511912345699"
    come_in({"from": ANA[1:], "id": "wamid.2", "timestamp": "1760000001", "type": "system", "system": {"type": "user_changed_number", "wa_id": new, "body": "x"}})
    assert Conversation.across_organizations.get().address == "+" + new
    (a,) = desk.answers([NewMessage(text="Oferta", account_id=desk.account.id, to="+" + new, category="marketing")])
    assert not isinstance(a, Accepted)


def test_fallback_none_possible_keeps_message(aurora: House, desk: Desk) -> None:
    other = open_account(aurora, "instagram", reply_window="enforced")
    (answer,) = desk.answers([NewMessage(text="Oi", account_id=desk.account.id, to=ANA, fallback=(Step(other.id, to=IG),), delivered_within=60)])
    assert isinstance(answer, Accepted), answer
    MessageFallback.across_organizations.update(due_at=clock.now().replace(year=2020))
    fallback.take_due()
    print(desk.status(answer.id), desk.story(answer.id))
    assert desk.status(answer.id) == "queued"
