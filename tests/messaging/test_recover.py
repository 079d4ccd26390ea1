"""Whatever no bell rang for is found."""

from datetime import timedelta

import pytest
from pytest_django import Settings

from apps.core import clock
from apps.core.redis import redis_client
from apps.messaging.engine import alarm_clock, bells
from apps.messaging.engine.claim import claim
from apps.messaging.engine.recover import recover
from apps.messaging.models import DeadLetter, Delivery
from tests.cast import House
from tests.messaging.desk import ANA, Desk, open_account
from tests.messaging.provider import Provider

pytestmark = pytest.mark.django_db(transaction=True)

QUEUE = "dispatch.whatsapp_cloud"


def test_message_whose_bell_was_lost_is_rung_for(desk: Desk) -> None:
    desk.accept("Bom dia")
    redis_client().flushdb()  # Redis was emptied: bell and task are gone

    recover()

    assert redis_client().llen(QUEUE) == 1


def test_task_that_died_with_its_worker_before_it_began_is_started_again(desk: Desk, settings: Settings) -> None:
    settings.BROKER_URL = settings.REDIS_URL
    desk.accept("Bom dia")
    assert redis_client().lpop(QUEUE)
    recover()
    assert redis_client().llen(QUEUE) == 1
    recover()  # it waits in its queue
    assert redis_client().llen(QUEUE) == 1


def test_sweep_rings_nobody_who_has_nothing_to_do(desk: Desk) -> None:
    desk.accept("Bom dia")
    desk.drain()
    redis_client().flushdb()
    recover()
    assert redis_client().llen(QUEUE) == 0


def test_sweep_leaves_a_paused_account_alone(desk: Desk) -> None:
    desk.accept("Bom dia")
    type(desk.account).across_organizations.update(paused_at=clock.now())
    redis_client().flushdb()
    recover()
    assert redis_client().llen(QUEUE) == 0


def test_scheduled_message_takes_its_place_when_it_is_due(desk: Desk, provider: Provider) -> None:
    (later,) = desk.accept("later", scheduled_at=clock.now() + timedelta(hours=1))
    (now,) = desk.accept("now")
    recover()
    desk.drain()
    assert desk.statuses([later, now]) == ["queued", "sent"]

    desk.let_pass(3601)
    (after,) = desk.accept("after")
    assert recover()["scheduled"] == 1
    desk.drain()

    assert provider.received_by(ANA) == [str(now), str(after), str(later)]


def test_two_scheduled_for_one_person_leave_in_the_order_in_which_they_fall_due(
    desk: Desk, provider: Provider
) -> None:
    hour = clock.now() + timedelta(hours=1)
    (second,) = desk.accept("second", scheduled_at=hour + timedelta(minutes=1))
    (first,) = desk.accept("first", scheduled_at=hour)
    desk.let_pass(7200)
    recover()
    desk.drain()
    assert provider.received_by(ANA) == [str(first), str(second)]


def test_what_waited_too_long_expires_and_the_next_goes(desk: Desk, provider: Provider) -> None:
    old, young = desk.accept("old", "young")
    Delivery.across_organizations.filter(message=old).update(expires_at=clock.now())

    assert recover()["expired"] == 1
    desk.drain()

    assert desk.statuses([old, young]) == ["expired", "sent"]


def test_unknown_outcome_that_no_receipt_settles_is_sent_again_where_that_is_chosen(
    desk: Desk, provider: Provider
) -> None:
    (message,) = desk.accept("1")
    claim(desk.account, 1)
    desk.let_pass(61)
    recover()
    desk.let_pass(61)
    assert recover() == {"unknown": 1}
    desk.drain()
    assert desk.story(message) == ["queued", "sending", "unknown", "retrying", "sending", "sent"]


def test_unknown_outcome_is_a_dead_letter_where_that_is_chosen(desk: Desk, provider: Provider) -> None:
    desk.change(on_unknown="dead_letter")
    (message,) = desk.accept("1")
    claim(desk.account, 1)
    desk.let_pass(61)
    recover()
    desk.let_pass(61)
    recover()
    assert desk.status(message) == "failed"
    assert DeadLetter.across_organizations.get().error_class == "outcome_unknown"


@pytest.mark.parametrize(("choice", "ends"), [("retry", "sent"), ("dead_letter", "failed")])
def test_where_nothing_is_echoed_the_accounts_choice_counts_at_once(
    aurora: House, desk: Desk, provider: Provider, choice: str, ends: str
) -> None:
    own = Desk(aurora.organization, open_account(aurora, "instagram", on_unknown=choice), desk.loop)
    provider.break_with({"kind": "cut_after", "times": 1})
    (message,) = own.accept("Oi", to="1784140000000009")

    own.drain()
    own.let_pass(5)
    own.drain()

    assert own.status(message) == ends
    assert len(provider.received_by("1784140000000009")) == (2 if choice == "retry" else 1)


def test_two_sweeps_at_once_find_each_thing_once(desk: Desk) -> None:
    (message,) = desk.accept("1")
    claim(desk.account, 1)
    desk.let_pass(61)
    assert recover() == {"leases": 1}
    assert recover() == {}
    assert desk.story(message) == ["queued", "sending", "unknown"]


def test_alarm_rings_the_bell_when_its_time_has_come(desk: Desk) -> None:
    bell = bells.drain_bell("whatsapp_cloud", desk.account.id)
    bells.doorbells().sleep(bell, 0.05)
    bells.ring([bell])
    assert redis_client().llen(QUEUE) == 0  # asleep: no ring before its time starts a task

    deadline = clock.now() + timedelta(seconds=5)
    while not redis_client().llen(QUEUE) and clock.now() < deadline:
        alarm_clock.ring_due_alarms()

    assert redis_client().llen(QUEUE) == 1


def test_only_one_clock_of_many_asks_for_a_sweep(desk: Desk) -> None:
    for _ in range(5):
        alarm_clock.ring_for_sweep()
    assert redis_client().llen("events") == 1
