"""The drain against a provider that works, fails, limits, hangs up and rejects."""

import threading
import time

import pytest
from django.db import connection
from pytest_django import Settings

from apps.channels.liveness import breaker_key, breaker_state
from apps.channels.models import ChannelAccount
from apps.channels.registry import queue_of
from apps.core.breaker import Breaker
from apps.core.redis import redis_client
from apps.messaging.engine import bells, claim, deliver
from apps.messaging.engine.doorbell import Bell
from apps.messaging.models import DeadLetter, Delivery, MessageEvent, Suppression
from tests.cast import House
from tests.messaging.desk import ANA, BIA, CAIO, Desk, open_account
from tests.messaging.provider import Provider

pytestmark = pytest.mark.django_db(transaction=True)


def test_drain_sends_what_was_accepted(desk: Desk, provider: Provider) -> None:
    messages = desk.accept("Bom dia", to=ANA) + desk.accept("Boa tarde", to=BIA)

    tally = desk.drain()

    assert tally == {"account": desk.account.name, "claimed": 2, "sent": 2}
    assert desk.statuses(messages) == ["sent", "sent"]
    assert provider.received_by(ANA) == [str(messages[0])]
    assert desk.story(messages[0]) == ["queued", "sending", "sent"]
    assert desk.waiting() == 0


def test_drain_keeps_the_order_of_a_conversation(desk: Desk, provider: Provider) -> None:
    messages = desk.accept(*[f"Linha {n}" for n in range(20)], to=ANA)

    desk.drain()

    assert provider.received_by(ANA) == [str(message) for message in messages]


def test_retry_keeps_the_order_of_its_conversation_and_no_other_waits(desk: Desk, provider: Provider) -> None:
    provider.break_with({"kind": "server_error", "to": ANA.removeprefix("+"), "times": 1})
    of_ana, of_bia = desk.accept("1", "2", "3", to=ANA), desk.accept("1", to=BIA)

    desk.drain()
    assert desk.statuses(of_bia) == ["sent"]
    desk.let_pass(5)
    desk.drain()

    assert provider.received_by(ANA) == [str(message) for message in of_ana]
    assert desk.story(of_ana[0]) == ["queued", "sending", "retrying", "sending", "sent"]


def test_no_more_calls_than_allowed_are_under_way_at_once(
    desk: Desk, provider: Provider, settings: Settings
) -> None:
    settings.DRAIN_CONCURRENCY = 2
    provider.delay(latency=0.1)
    for n in range(6):
        desk.accept("Oi", to=f"+55119{40_000_000 + n}")
    started = time.monotonic()
    assert desk.drain()["sent"] == 6
    assert time.monotonic() - started >= 3 * 0.1


def test_slow_answer_delays_no_other_message(desk: Desk, provider: Provider) -> None:
    provider.break_with({"kind": "slow", "seconds": 1.0, "to": ANA.removeprefix("+"), "times": 1})
    slow = desk.accept("Devagar", to=ANA)
    quick = desk.accept(*[str(n) for n in range(10)], to=BIA)
    began = time.monotonic()

    desk.drain()

    assert desk.statuses(slow + quick) == ["sent"] * 11
    events = MessageEvent.across_organizations.filter(kind="sent").order_by("id")
    assert events.last().message_id == slow[0]  # type: ignore[union-attr]
    assert time.monotonic() - began < 2.0


@pytest.mark.parametrize(
    ("kind", "error_class"),
    [("blocked", "recipient_rejected"), ("opted_out", "recipient_rejected")],
)
def test_what_cannot_succeed_is_a_dead_letter_at_once(
    desk: Desk, provider: Provider, kind: str, error_class: str
) -> None:
    provider.break_with({"kind": kind, "to": ANA.removeprefix("+")})
    rejected, following = desk.accept("1", "2", to=ANA)
    provider.break_with({"kind": kind, "to": ANA.removeprefix("+"), "times": 1})

    desk.drain()

    letter = DeadLetter.across_organizations.get()
    assert (letter.message_id, letter.error_class, letter.attempts) == (rejected, error_class, 1)
    # Whoever opted out gets nothing more, also of what was accepted before.
    assert desk.statuses([rejected, following]) == ["failed", "cancelled" if kind == "opted_out" else "sent"]
    suppressed = Suppression.across_organizations.filter(value=ANA, source="provider")
    assert suppressed.exists() == (kind == "opted_out")


def test_attempts_end(desk: Desk, provider: Provider) -> None:
    desk.change(retry_attempts=2, breaker_failures=50)
    provider.break_with({"kind": "server_error"})
    (message,) = desk.accept("Bom dia")

    desk.drain()
    desk.let_pass(5)
    desk.drain()

    assert desk.status(message) == "failed"
    assert desk.story(message) == ["queued", "sending", "retrying", "sending", "failed"]
    assert DeadLetter.across_organizations.get().attempts == 2
    assert provider.tally()["accepted"] == 0


def test_limit_of_the_provider_spends_no_attempt(desk: Desk, provider: Provider) -> None:
    provider.break_with({"kind": "rate_limited", "times": 1, "retry_after": 2})
    (message,) = desk.accept("Bom dia")

    desk.drain()

    delivery = Delivery.across_organizations.get()
    assert (delivery.state, delivery.attempt) == ("waiting", 0)
    assert desk.story(message) == ["queued", "sending", "held"]
    # The whole account waits: nothing is claimed before the provider's own time.
    desk.accept("Boa tarde", to=BIA)
    assert "claimed" not in desk.drain()


def test_limit_of_one_recipient_holds_nobody_else(desk: Desk, provider: Provider) -> None:
    provider.break_with({"kind": "pair_rate_limited", "to": ANA.removeprefix("+"), "times": 1})
    of_ana, of_bia = desk.accept("1", to=ANA), desk.accept("1", "2", to=BIA)

    desk.drain()

    assert desk.statuses(of_bia) == ["sent", "sent"]
    assert desk.story(of_ana[0]) == ["queued", "sending", "held"]


def test_our_own_limit_for_one_recipient_holds_nobody_else(desk: Desk, provider: Provider) -> None:
    desk.change(recipient_rate_per_second=0.01, recipient_burst=2)
    of_ana, of_bia = desk.accept("1", "2", "3", to=ANA), desk.accept("1", to=BIA)

    desk.drain()

    assert desk.statuses(of_ana + of_bia) == ["sent", "sent", "sending", "sent"]
    assert len(provider.received_by(ANA)) == 2
    assert Delivery.across_organizations.get().attempt == 0


def test_own_limit_leaves_the_rest_in_the_queue_and_sets_an_alarm(desk: Desk, provider: Provider) -> None:
    desk.change(rate_per_second=1, burst=3)
    for n in range(5):
        desk.accept("Oi", to=f"+55119{30_000_000 + n}")

    assert desk.drain()["sent"] == 3

    assert desk.waiting() == 2
    assert Delivery.across_organizations.filter(state="waiting", attempt=0).count() == 2
    assert provider.tally()["accepted"] == 3
    _, wait = bells.doorbells().due_alarms()
    assert wait is not None
    assert wait <= 1.5


def test_unused_grants_are_given_back(desk: Desk) -> None:
    desk.change(rate_per_second=0.01, burst=3)
    desk.accept("1", to=ANA)
    desk.drain()
    desk.accept("2", to=BIA)
    desk.accept("3", to=CAIO)
    assert desk.drain()["sent"] == 2


def test_provider_that_fails_opens_the_breaker_and_no_attempt_is_wasted(desk: Desk, provider: Provider) -> None:
    desk.change(breaker_failures=3, breaker_seconds=1)
    provider.break_with({"kind": "server_error"})
    for n in range(3):
        desk.accept("Oi", to=f"+55119{40_000_000 + n}")
    desk.drain()
    late = desk.accept("Oi", to=ANA)

    desk.let_pass(5)
    assert "claimed" not in desk.drain()
    assert desk.story(late[0]) == ["queued"]

    provider.break_with()
    deadline = time.monotonic() + 10
    while desk.waiting() and time.monotonic() < deadline:
        desk.let_pass(5)
        desk.drain()
        time.sleep(0.05)
    assert desk.waiting() == 0
    assert provider.tally()["doubled"] == {}


def test_dead_target_of_a_webhook_keeps_no_other_waiting(aurora: House, desk: Desk, provider: Provider) -> None:
    desk.account = open_account(aurora, "webhook", breaker_failures=1, retry_attempts=1)
    (dead,) = desk.accept("Oi", to="http://127.0.0.1:9/dead")
    desk.drain()
    assert desk.status(dead) == "failed"
    desk.accept("Oi", to=f"{provider.url}/target/alive")
    assert desk.drain()["sent"] == 1
    assert not is_open(desk.account)


def test_drain_whose_probe_succeeds_goes_on_with_the_rest(desk: Desk, provider: Provider) -> None:
    desk.change(breaker_seconds=1)
    Breaker(redis_client()).failed(breaker_key(desk.account), desk.account.breaker_policy, times=3)
    for n in range(3):
        desk.accept("Oi", to=f"+55119{40_000_000 + n}")
    provider.delay(latency=0.2)  # so that the drain asks for more while its probe is out

    assert "claimed" not in desk.drain()
    deadline = time.monotonic() + 10
    while is_open(desk.account) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert desk.drain()["sent"] == 3


def test_probe_that_finds_nothing_to_send_is_left_to_the_next(desk: Desk) -> None:
    desk.change(breaker_seconds=1)
    breaker = Breaker(redis_client())
    breaker.failed(breaker_key(desk.account), desk.account.breaker_policy, times=3)
    deadline = time.monotonic() + 10
    while is_open(desk.account) and time.monotonic() < deadline:
        time.sleep(0.02)

    assert "claimed" not in desk.drain()
    assert breaker.ask(breaker_key(desk.account), desk.account.breaker_policy).probe


def test_drain_takes_what_is_rung_for_soon_after(desk: Desk, settings: Settings) -> None:
    settings.BROKER_URL = settings.REDIS_URL
    desk.accept("Bom dia", to=ANA)
    redis_client().delete(queue_of("whatsapp_cloud"))  # the task that a worker would have taken
    later = threading.Timer(0.1, accept_and_close, (desk,))
    later.start()
    assert desk.drain()["sent"] == 2
    later.join()


def test_drain_makes_room_for_others_that_wait(desk: Desk, settings: Settings) -> None:
    settings.BROKER_URL = settings.REDIS_URL
    desk.accept("Bom dia", to=ANA)
    assert redis_client().llen(queue_of("whatsapp_cloud")) == 1  # which nobody takes here
    started = time.monotonic()
    assert desk.drain()["sent"] == 1
    assert time.monotonic() - started < deliver.LINGER_SECONDS


def accept_and_close(desk: Desk) -> None:
    try:
        desk.accept("Boa tarde", to=BIA)
    finally:
        connection.close()


def is_open(account: ChannelAccount) -> bool:
    state = breaker_state(account)
    return state is not None and state.status == "open"


def test_account_that_is_rejected_is_paused_with_the_reason(desk: Desk, provider: Provider) -> None:
    provider.break_with({"kind": "invalid_token"})
    (message,) = desk.accept("Bom dia")

    desk.drain()

    paused = ChannelAccount.across_organizations.get(pk=desk.account.pk)
    assert paused.paused_at is not None
    assert paused.pause_reason.startswith("190")
    assert Delivery.across_organizations.get().attempt == 0
    assert desk.status(message) == "sending"
    assert "claimed" not in desk.drain()


def test_unknown_outcome_waits_for_its_receipt(desk: Desk, provider: Provider) -> None:
    provider.break_with({"kind": "cut_after", "times": 1})
    first, second = desk.accept("1", "2", to=ANA)

    desk.drain()

    assert desk.story(first) == ["queued", "sending", "unknown"]
    assert desk.story(second) == ["queued"]  # order: nothing overtakes what may have been sent
    assert provider.received_by(ANA) == [str(first)]
    assert "claimed" not in desk.drain()


def test_connection_cut_before_the_provider_had_it_is_settled_like_any_unknown(
    desk: Desk, provider: Provider
) -> None:
    provider.break_with({"kind": "cut_before", "times": 1})
    (message,) = desk.accept("1")
    desk.drain()
    assert desk.story(message) == ["queued", "sending", "unknown"]
    assert provider.tally()["accepted"] == 0


def test_expired_message_is_not_sent(desk: Desk, provider: Provider) -> None:
    expired, alive = desk.accept("1", "2", to=ANA)
    Delivery.across_organizations.filter(message=expired).update(expires_at="2020-01-01T00:00Z")

    desk.drain()

    assert desk.statuses([expired, alive]) == ["expired", "sent"]
    assert provider.received_by(ANA) == [str(alive)]


def test_worker_that_was_stopped_for_a_while_does_not_send(
    desk: Desk, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    (message,) = desk.accept("Bom dia")
    monkeypatch.setattr(claim, "LEASE_SECONDS", 1.0)  # shorter than a call to the provider may take

    assert desk.drain()["returned"] >= 1

    assert provider.tally()["requests"] == 0
    assert desk.story(message)[0] == "queued"
    assert Delivery.across_organizations.get().attempt == 0


def test_change_of_the_account_is_felt_by_a_drain_at_work(desk: Desk) -> None:
    desk.accept("1")
    stale = ChannelAccount.across_organizations.get(pk=desk.account.pk)
    desk.change(burst=9_999)
    assert claim.claim(stale, 10).deliveries == []
    assert desk.drain()["sent"] == 1


def test_high_priority_goes_first(desk: Desk) -> None:
    desk.accept("low", to=ANA, priority=0)
    desk.accept("normal", to=BIA)
    desk.accept("high", to=CAIO, priority=2)

    order = [claim.claim(desk.account, 1).deliveries[0].text for _ in range(3)]

    assert order == ["high", "normal", "low"]


def test_drain_ends_after_its_slice_and_rings_for_the_next(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliver, "SLICE_SECONDS", 0.0)
    desk.accept("Bom dia")
    bells.doorbells().forget([bells.drain_bell("whatsapp_cloud", desk.account.id)])

    started: list[Bell] = []
    monkeypatch.setattr(bells, "start", started.extend)
    desk.drain()

    assert bells.drain_bell("whatsapp_cloud", desk.account.id) in started
