"""Messages that are kept no longer: gone with all that tells of them, and nothing that is not over."""

import itertools
from collections.abc import Sequence
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from apps.accounts import organizations
from apps.accounts.models import Organization, User
from apps.accounts.principal import actor_of
from apps.billing.models import Touch
from apps.callbacks.models import WebhookDelivery
from apps.core import clock
from apps.core.ids import first_id_of, new_id
from apps.messaging import retention
from apps.messaging.engine import judge, order
from apps.messaging.engine.new_message import Step
from apps.messaging.engine.replay import replay
from apps.messaging.models import Conversation, DeadLetter, Delivery, MediaFetch, Message, MessageFallback
from apps.registration.models import HeardMessage, Registration, Talk, Turn
from tests.callbacks.office import add_endpoint, fan_out_all
from tests.cast import House
from tests.messaging import history
from tests.messaging.desk import ANA, BIA, Desk
from tests.messaging.provider import Provider
from tests.messaging.test_incoming import come_in, inbound, said
from tests.registration import talks
from tests.traces import traces_of

pytestmark = [pytest.mark.django_db(transaction=True)]
# Ids of the trail are those of what it was about, and stay.
KEPT = {"audit_event.target_id", "audit_event.target_label", "audit_event.changes"}
LATER = timedelta(days=31)


@pytest.fixture
def webhook_cursor(transactional_db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO webhook_cursor VALUES (1, pg_snapshot_xmin(pg_current_snapshot()), 0)"
            " ON CONFLICT (id) DO UPDATE SET transaction = EXCLUDED.transaction, event_id = 0"
        )


def keep(house: House, days: int | None = 30) -> None:
    organizations.change(house.principal(), message_retention_days=days)


def later(monkeypatch: pytest.MonkeyPatch, after: timedelta = LATER) -> None:
    then = clock.now() + after
    monkeypatch.setattr(clock, "now", lambda: then)


def left() -> set[UUID]:
    return set(Message.across_organizations.values_list("pk", flat=True))


def traces(ids: Sequence[UUID]) -> set[str]:
    return traces_of(*(str(each) for each in ids)) - KEPT


def test_nothing_anywhere_refers_to_what_is_gone(
    desk: Desk, aurora: House, provider: Provider, webhook_cursor: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(aurora)
    add_endpoint(aurora)
    come_in(said("Bom dia", "wamid.1", sender=ANA.removeprefix("+")))
    (heard,) = (each.pk for each in inbound())
    (sent,) = desk.accept("Olá", reply_to=heard)
    desk.drain()
    provider.break_with({"kind": "blocked", "times": 1})
    (dead,) = desk.accept("Oi?", to=BIA)
    desk.drain()
    old = [heard, sent, dead]
    with monkeypatch.context() as patch:
        patch.setattr(judge, "new_id", lambda: UUID(int=first_id_of(clock.now() + LATER).int | new_id().int >> 64))
        # Younger ones that name them.
        (answer,) = desk.accept("Ainda?", reply_to=heard)
        (forward,) = desk.accept("Veja", forwarded_from=sent)
        (other_way,) = desk.accept("Outra vez", to=BIA, fallback_of=dead)
    keep_also(aurora, sent, heard)
    fan_out_all()
    references = traces(old)
    assert references >= {
        "message.reply_to_id", "message.forwarded_from_id", "message.fallback_of_id", "message_event.message_id",
        "dead_letter.message_id", "webhook_delivery.payload", "reminder_touch.message_id",
        "registration_turn.message_id",
    }, "or the look has not looked"  # fmt: skip
    Delivery.across_organizations.all().delete()
    later(monkeypatch)
    assert retention.delete_old() == 3
    assert left() == {answer, forward, other_way}
    assert traces(old) == set()
    assert Conversation.across_organizations.count() == 2
    assert Touch.across_organizations.count() == 1
    assert Turn.across_organizations.count() == 1
    assert WebhookDelivery.across_organizations.count() == 3
    assert retention.delete_old() == 0


def keep_also(house: House, reminded: UUID, heard: UUID) -> None:
    contact = Message.across_organizations.get(pk=reminded).conversation.contact
    Touch.across_organizations.create(
        organization=house.organization, contact=contact, message_id=reminded, created_at=clock.now()
    )
    message = Message.across_organizations.get(pk=heard)
    flow = talks.live_flow(house, message.account)
    assert flow.published is not None
    registration = Registration.across_organizations.create(
        organization=house.organization, flow=flow, version=flow.published, conversation=message.conversation,
        contact=contact, state="asking", started_by="api", started_at=clock.now(), changed_at=clock.now(),
    )  # fmt: skip
    Turn.across_organizations.create(
        organization=house.organization, registration=registration, number=1, message_id=heard, heard="{}",
        at=clock.now(),
    )  # fmt: skip


def test_what_is_not_over_stays(
    desk: Desk, aurora: House, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(aurora)
    other = history.account_of(aurora, "instagram")
    (waiting,) = desk.accept("Espera")
    desk.drain()
    (fallback,) = desk.accept("Depois", to=BIA, fallback=(Step(account_id=other.id, to="1784140000000007"),))
    desk.drain()
    (scheduled,) = desk.accept("Amanhã", scheduled_at=clock.now() + LATER + timedelta(days=3))
    come_in(said("Uma foto", "wamid.1"), said("Escuta", "wamid.2"))
    fetched, heard = inbound()
    MediaFetch.across_organizations.create(
        message=fetched, organization=aurora.organization, free_at=clock.now(), due_at=clock.now(),
        created_at=clock.now(),
    )  # fmt: skip
    talk = Talk.across_organizations.create(organization=aurora.organization, conversation=heard.conversation)
    HeardMessage.objects.create(talk=talk, message_id=heard.pk)
    (forward,) = desk.accept("Uma foto", to=BIA, forwarded_from=waiting)
    assert MessageFallback.across_organizations.count() == 1
    later(monkeypatch)
    assert retention.delete_old() == 0
    assert left() == {waiting, fallback, scheduled, fetched.pk, heard.pk, forward}
    # All of it comes to its end.
    Delivery.across_organizations.all().delete()
    MessageFallback.across_organizations.all().delete()
    MediaFetch.across_organizations.update(state="done")
    HeardMessage.objects.all().delete()
    assert retention.delete_old() == 5
    assert left() == {scheduled}, "it is as old as the day that it was for"
    later(monkeypatch, timedelta(days=40))
    assert retention.delete_old() == 1


def test_only_of_those_who_chose_it_and_only_the_old(
    aurora: House, boreal: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(aurora)
    of_boreal = history.sent(boreal)
    of_aurora = history.sent(aurora)
    later(monkeypatch, timedelta(days=29))
    assert retention.delete_old() == 0
    later(monkeypatch, timedelta(days=2))
    assert retention.delete_old() == 1
    assert left() == {of_boreal.pk}
    assert traces([of_aurora.pk]) == set()


def test_suspended_organization_keeps_what_it_has(aurora: House, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(aurora, 1)
    history.sent(aurora)
    root = actor_of(User.objects.create_superuser("root@recado.example", "pão-de-queijo-quente"))
    organizations.suspend(root, aurora.organization, reason="x")
    later(monkeypatch)
    assert retention.delete_old() == 0
    organizations.lift(root, aurora.organization)
    assert retention.delete_old() == 1


def test_in_batches_and_a_run_that_dies_is_gone_on_with(
    aurora: House, boreal: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    for house in (aurora, boreal):
        keep(house)
        for _ in range(3):
            history.sent(house)
    monkeypatch.setattr(retention, "AT_ONCE", 2)
    delete, batches = retention._delete, []

    def dying(cursor: Any, organization: Organization, ids: Any, conversations: Any) -> None:
        delete(cursor, organization, ids, conversations)
        batches.append((organization.slug, len(ids)))
        if len(batches) == 2:
            raise KeyboardInterrupt

    later(monkeypatch)
    with monkeypatch.context() as patch:
        patch.setattr(retention, "_delete", dying)
        with pytest.raises(KeyboardInterrupt):
            retention.delete_old()
    assert batches == [("aurora", 2), ("boreal", 2)], "they take turns"
    assert Message.across_organizations.count() == 4, "the second batch is as if it had not begun"
    assert set(message_events()) == left()
    assert retention.delete_old() == 4
    assert left() == set()


def test_run_ends_in_time(aurora: House, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(aurora)
    history.sent(aurora)
    later(monkeypatch)
    monkeypatch.setattr(retention, "LONGEST_RUN", 0)
    assert retention.delete_old() == 0


def test_it_rests_longer_than_it_works(aurora: House, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(aurora)
    history.sent(aurora)
    later(monkeypatch)
    moments, rests = itertools.count(0, 3), list[float]()
    clockwork = SimpleNamespace(monotonic=lambda: next(moments), sleep=rests.append)
    monkeypatch.setattr(retention, "time", clockwork)
    retention.delete_old()
    assert rests
    assert set(rests) == {6}


def message_events() -> set[UUID]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT message_id FROM message_event")
        return {message_id for (message_id,) in cursor.fetchall()}


def test_nothing_is_unread_where_nothing_is_left(
    desk: Desk, aurora: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(aurora)
    come_in(said("Bom dia", "wamid.1"))
    later(monkeypatch)
    assert retention.delete_old() == 1
    assert Conversation.across_organizations.get().unread_count == 0


def test_what_is_tried_again_meanwhile_stays(
    desk: Desk, aurora: House, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(aurora)
    provider.break_with({"kind": "blocked", "times": 1})
    (dead,) = desk.accept("Oi?")
    desk.drain()
    later(monkeypatch)
    lock = order.lock

    def replay_first(cursor: Any, conversations: Any) -> None:
        monkeypatch.setattr(order, "lock", lock)
        assert replay(desk.organization, [DeadLetter.across_organizations.get(message=dead).pk])
        lock(cursor, conversations)

    monkeypatch.setattr(order, "lock", replay_first)
    assert retention.delete_old() == 0
    assert left() == {dead}
    assert Delivery.across_organizations.filter(message=dead).exists()
