"""What is counted of messages: each once at every stage, and only what was committed."""

from datetime import timedelta

import pytest
from django.db import transaction

from apps.core import clock
from apps.core.redis import redis_client
from apps.messaging.engine.cancel import cancel_many
from apps.messaging.engine.claim import claim
from apps.messaging.engine.gate import Gate, Opening
from apps.messaging.engine.outcome import Outcome, Result
from apps.messaging.engine.record import record
from apps.messaging.engine.recover import recover
from apps.messaging.engine.settle import Attempt, settle
from apps.messaging.models import Delivery, Message
from tests.cast import House
from tests.counting import counting
from tests.messaging.desk import ANA, BIA, CAIO, Desk, open_account
from tests.messaging.provider import Provider
from tests.messaging.test_receipts import deliver_receipts, status

pytestmark = pytest.mark.django_db(transaction=True)

FAST = "channel=whatsapp_cloud,account_class=fast"


def test_messages_are_counted_at_each_stage(desk: Desk, provider: Provider) -> None:
    provider.break_with({"kind": "blocked", "to": CAIO.removeprefix("+")})
    with counting() as changed:
        sent = desk.accept("1", to=ANA) + desk.accept("2", to=BIA) + desk.accept("3", to=CAIO)
        desk.drain()
        deliver_receipts(status("delivered", sent[0]), status("delivered", sent[1], "wamid.2"))
        deliver_receipts(status("read", sent[0]), status("read", sent[0]))

    assert {name: n for name, n in changed.items() if "publish_lag" not in name} == {
        f"recado_messages_accepted_total{{{FAST}}}": 3,
        f"recado_messages_claimed_total{{{FAST}}}": 3,
        f"recado_messages_sent_total{{{FAST}}}": 2,
        f"recado_messages_delivered_total{{{FAST}}}": 2,
        f"recado_messages_read_total{{{FAST}}}": 1,
        f"recado_messages_failed_total{{{FAST},error_class=recipient_rejected}}": 1,
        f"recado_attempts_failed_total{{{FAST},error_class=recipient_rejected}}": 1,
        f"recado_accept_to_sent_seconds_count{{{FAST}}}": 2,
        "recado_sent_to_delivered_seconds_count{channel=whatsapp_cloud}": 2,
        "recado_provider_call_seconds_count{channel=whatsapp_cloud}": 3,
    }


def test_what_was_rolled_back_was_not_accepted(desk: Desk) -> None:
    with counting() as changed, transaction.atomic():
        desk.accept("1", "2")
        transaction.set_rollback(True)
    assert changed == {}
    assert Message.across_organizations.count() == 0


def test_receipt_that_comes_before_our_own_sent_counts_it_once(desk: Desk) -> None:
    (message,) = desk.accept("Bom dia")
    taken = claim(desk.account, 1)
    outcome = Outcome(
        message, taken.deliveries[0].conversation_id, taken.lease, Result.SENT, provider_id="wamid.9"
    )
    with counting() as changed:
        deliver_receipts(status("read", message))
        settle(desk.account, Gate(redis_client()), [Attempt(taken.deliveries[0], Opening(1), outcome)])
    assert {name: n for name, n in changed.items() if "publish_lag" not in name} == {
        f"recado_messages_sent_total{{{FAST}}}": 1,
        f"recado_messages_delivered_total{{{FAST}}}": 1,
        f"recado_messages_read_total{{{FAST}}}": 1,
    }


def test_retries_and_unknown_outcomes_are_counted(desk: Desk, provider: Provider) -> None:
    provider.break_with({"kind": "server_error", "times": 1})
    desk.accept("1")
    with counting() as changed:
        desk.drain()
        desk.let_pass(5)
        desk.drain()
        provider.break_with({"kind": "cut_after", "times": 1})
        desk.accept("2")
        desk.drain()
        desk.let_pass(120)
        recover()
    assert changed[f"recado_attempts_failed_total{{{FAST},error_class=transient}}"] == 1
    assert changed[f"recado_attempts_failed_total{{{FAST},error_class=outcome_unknown}}"] == 1
    assert changed["recado_outcomes_unknown_total{channel=whatsapp_cloud}"] == 1
    assert changed["recado_sent_again_unknown_total{channel=whatsapp_cloud}"] == 1
    assert f"recado_messages_failed_total{{{FAST},error_class=outcome_unknown}}" not in changed


def test_breaker_and_limits_are_counted(desk: Desk, provider: Provider) -> None:
    desk.change(breaker_failures=1, rate_per_second=0.01, burst=1)
    provider.break_with({"kind": "server_error", "times": 1})
    desk.accept("1", to=ANA)
    with counting() as changed:
        desk.drain()
    assert changed["recado_breaker_opened_total{channel=whatsapp_cloud}"] == 1
    assert changed["recado_messages_claimed_total{channel=whatsapp_cloud,account_class=slow}"] == 1

    desk.change(breaker_failures=1000)
    redis_client().flushdb()
    desk.accept("2", "3", to=BIA)
    desk.let_pass(5)
    with counting() as changed:
        desk.drain()
    waits = "channel=whatsapp_cloud,scope=account"
    assert changed[f"recado_limiter_waits_total{{{waits}}}"] >= 1
    assert changed[f"recado_limiter_wait_seconds_total{{{waits}}}"] > 1


def test_what_is_taken_back_or_too_late_is_dropped(desk: Desk) -> None:
    first, second, third = desk.accept("1", "2", "3")
    conversation = Message.across_organizations.get(pk=first).conversation_id
    with counting() as changed:
        cancel_many(desk.organization, [conversation], [first, second])
        Delivery.across_organizations.filter(message=third).update(expires_at=clock.now() - timedelta(seconds=1))
        recover()
    assert changed["recado_messages_dropped_total{channel=whatsapp_cloud,reason=cancelled}"] == 2
    assert changed["recado_messages_dropped_total{channel=whatsapp_cloud,reason=expired}"] == 1


def test_head_of_a_conversation_that_expires_lets_the_next_one_go(desk: Desk) -> None:
    first, second = desk.accept("1", "2")
    Delivery.across_organizations.filter(message=first).update(expires_at=clock.now() - timedelta(seconds=1))
    recover()
    assert Delivery.across_organizations.get(message=second).is_head


def test_many_accounts_make_no_more_series(aurora: House, desk: Desk) -> None:
    with counting() as changed:
        for n in range(100):
            other = open_account(aurora, "whatsapp_cloud", name=f"n{n}", rate_per_second=1.0 + n)
            Desk(desk.organization, other, desk.loop).accept("Oi", to=f"+55119{50_000_000 + n}")
    classes = {name: n for name, n in changed.items() if "accepted" in name}
    assert classes == {
        "recado_messages_accepted_total{channel=whatsapp_cloud,account_class=slow}": 4,
        "recado_messages_accepted_total{channel=whatsapp_cloud,account_class=usual}": 46,
        "recado_messages_accepted_total{channel=whatsapp_cloud,account_class=fast}": 50,
    }


def test_outcome_of_somebody_elses_lease_is_not_counted(desk: Desk) -> None:
    (message,) = desk.accept("1")
    taken = claim(desk.account, 1)
    outcome = Outcome(message, taken.deliveries[0].conversation_id, taken.lease, Result.SENT, provider_id="p")
    attempt = Attempt(taken.deliveries[0], Opening(1), outcome)
    record([outcome])
    with counting() as changed:
        assert settle(desk.account, Gate(redis_client()), [attempt]) == 0
    assert f"recado_messages_sent_total{{{FAST}}}" not in changed
