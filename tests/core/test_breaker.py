"""The breaker against a model on a clock that only the test moves, then as it is shipped on the server's."""

import os
import secrets
import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from math import inf, nan
from threading import Barrier
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, multiple, rule, run_state_machine_as_test
from redis import Redis
from redis.commands.core import Script

from apps.core.breaker import Breaker, BreakerPolicy, BreakerState, Permission
from tests.core.clocked_redis import SECOND, ClockedRedis, forget_everything

START = 1_790_000_000 * SECOND + 123_456
POLICY = BreakerPolicy(failures=3, seconds=45, probe_seconds=60)
WORKERS = 32

key_numbers = count()


def connect_clocked() -> ClockedRedis:
    client = ClockedRedis.from_url(os.environ["REDIS_URL"])
    assert isinstance(client, ClockedRedis)
    forget_everything(client)
    client.advance(0, START)
    return client


@pytest.fixture
def redis_client() -> Generator[Redis]:
    client = Redis.from_url(os.environ["REDIS_URL"])
    forget_everything(client)
    yield client
    forget_everything(client)
    client.close()


@pytest.fixture
def clocked() -> Generator[ClockedRedis]:
    client = connect_clocked()
    yield client
    forget_everything(client)
    client.close()


@pytest.fixture
def breaker(clocked: ClockedRedis) -> Breaker:
    return Breaker(clocked)


@pytest.fixture
def workers() -> Generator[list[Redis]]:
    clients: list[Redis] = [ClockedRedis.from_url(os.environ["REDIS_URL"]) for _ in range(WORKERS)]
    yield clients
    for client in clients:
        client.close()


def fail(breaker: Breaker, times: int, key: str = "account") -> list[bool]:
    return [breaker.failed(key, POLICY) for _ in range(times)]


def get_probe(breaker: Breaker) -> str:
    probe = breaker.ask("account", POLICY).probe
    assert probe is not None
    return probe


def at_once(clients: list[Redis], act: Callable[[Breaker], object]) -> list[object]:
    """One call from each of many workers, all let go at the same moment."""
    start = Barrier(len(clients))

    def work(client: Redis) -> object:
        breaker = Breaker(client)
        client.ping()
        start.wait(10)
        return act(breaker)

    with ThreadPoolExecutor(len(clients)) as threads:
        return list(threads.map(work, clients))


@dataclass
class Model:
    """One breaker, in plain words; times in microseconds."""

    policy: BreakerPolicy
    now: int = START
    failures: int = 0
    open_until: int | None = None
    probe: str | None = None
    probe_until: int = 0

    def ask(self) -> tuple[bool, bool, int]:
        if self.open_until is None:
            return True, False, 0
        if self.now < self.open_until:
            return False, False, self.open_until - self.now
        if self.probe and self.now < self.probe_until:
            return False, False, min(self.probe_until - self.now, SECOND)
        self.probe_until = self.now + round(self.policy.probe_seconds * SECOND)
        return True, True, 0

    def counts(self, probe: str | None) -> bool:
        return self.open_until is None if probe is None else probe == self.probe

    def succeeded(self, probe: str | None) -> bool:
        if not self.counts(probe):
            return False
        was_open = self.open_until is not None
        self.failures, self.open_until, self.probe = 0, None, None
        return was_open

    def failed(self, probe: str | None) -> bool:
        if not self.counts(probe):
            return False
        self.failures += 1
        if self.open_until is None and self.failures < self.policy.failures:
            return False
        self.open_until, self.probe = self.now + round(self.policy.seconds * SECOND), None
        return True

    def state(self) -> BreakerState:
        if self.open_until is None:
            return BreakerState("closed", self.failures, None)
        if self.open_until <= self.now:
            return BreakerState("half_open", self.failures, None)
        return BreakerState("open", self.failures, datetime.fromtimestamp(self.open_until / SECOND, UTC))


class BreakerMachine(RuleBasedStateMachine):
    """Any order of asking, waiting and reporting, reports of calls long given up included."""

    probes = Bundle("probes")

    def __init__(self) -> None:
        super().__init__()
        self.client = connect_clocked()
        self.breaker = Breaker(self.client)
        self.policy = BreakerPolicy(failures=2, seconds=10, probe_seconds=4)
        self.model = Model(self.policy)
        self.told = 0

    def teardown(self) -> None:
        forget_everything(self.client)
        self.client.close()

    @rule(target=probes)
    def ask(self) -> Any:
        permission = self.breaker.ask("account", self.policy)
        allowed, probing, wait = self.model.ask()
        assert permission == Permission(allowed, permission.probe, wait / SECOND)
        assert (permission.probe is not None) == probing
        self.told = wait
        if permission.probe is None:
            return multiple()
        self.model.probe = permission.probe
        return permission.probe

    @rule(probe=st.none() | probes)
    def succeed(self, probe: str | None) -> None:
        assert self.breaker.succeeded("account", self.policy, probe) == self.model.succeeded(probe)

    @rule(probe=st.none() | probes)
    def fail(self, probe: str | None) -> None:
        assert self.breaker.failed("account", self.policy, probe) == self.model.failed(probe)

    @rule(times=st.integers(1, 3))
    def fail_repeatedly(self, times: int) -> None:
        for _ in range(times):
            self.fail(None)

    @rule(more_or_less=st.integers(-1, 1))
    def wait_as_told(self, more_or_less: int) -> None:
        self.wait(max(0, self.told + more_or_less))

    @rule(microseconds=st.integers(0, 12 * SECOND))
    def wait(self, microseconds: int) -> None:
        self.client.advance(0, microseconds)
        self.model.now += microseconds
        self.told = 0

    @rule()
    def look(self) -> None:
        assert self.breaker.state("account") == self.model.state()


def test_breaker_decides_as_the_model_does() -> None:
    quick = settings(max_examples=80, stateful_step_count=30, derandomize=True, database=None, deadline=None)
    run_state_machine_as_test(BreakerMachine, settings=quick)


@pytest.mark.parametrize(
    "values",
    [
        {"failures": 0},
        {"seconds": 0},
        {"seconds": -1},
        {"seconds": nan},
        {"seconds": inf},
        {"probe_seconds": 0},
        {"probe_seconds": 86_401},
    ],
)
def test_breaker_policy_refuses_what_would_stay_open_or_closed_for_good(values: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"not -?(\d|nan|inf)"):
        BreakerPolicy(**values)


def test_breaker_lets_everything_through_to_a_healthy_provider(breaker: Breaker) -> None:
    assert breaker.ask("account", POLICY) == Permission(allowed=True)
    assert breaker.state("account") == BreakerState("closed", 0, None)


def test_breaker_opens_after_failures_in_a_row(clocked: ClockedRedis, breaker: Breaker) -> None:
    assert fail(breaker, 2) == [False, False]
    assert breaker.ask("account", POLICY).allowed
    assert fail(breaker, 1) == [True]

    assert breaker.ask("account", POLICY) == Permission(allowed=False, retry_after=45.0)
    open_until = datetime.fromtimestamp(clocked.now / SECOND, UTC) + timedelta(seconds=45)
    assert breaker.state("account") == BreakerState("open", 3, open_until)


def test_breaker_stays_closed_when_a_success_comes_between(breaker: Breaker) -> None:
    fail(breaker, 2)
    assert not breaker.succeeded("account", POLICY)
    fail(breaker, 2)

    assert breaker.ask("account", POLICY).allowed


def test_breaker_of_one_account_stops_no_other(breaker: Breaker) -> None:
    fail(breaker, 3)

    assert breaker.ask("another account", POLICY).allowed


def test_breaker_lets_nothing_through_before_its_time(clocked: ClockedRedis, breaker: Breaker) -> None:
    fail(breaker, 3)
    clocked.advance(45, -1)
    assert breaker.ask("account", POLICY) == Permission(allowed=False, retry_after=1 / SECOND)

    clocked.advance(0, 1)
    assert breaker.state("account") == BreakerState("half_open", 3, None)
    assert breaker.ask("account", POLICY).probe


def test_breaker_gives_32_workers_exactly_one_probe(
    clocked: ClockedRedis, breaker: Breaker, workers: list[Redis]
) -> None:
    """A provider that is just getting up must not be knocked down again by all that waited."""
    fail(breaker, 3)
    clocked.advance(45)

    answers = at_once(workers, lambda breaker: breaker.ask("account", POLICY))

    refused = Permission(allowed=False, retry_after=1.0)
    assert answers.count(refused) == WORKERS - 1
    (probe,) = [answer for answer in answers if answer != refused]
    assert isinstance(probe, Permission)
    assert probe.allowed
    assert probe.probe


def test_breaker_opens_once_when_32_workers_fail_together(
    clocked: ClockedRedis, breaker: Breaker, workers: list[Redis]
) -> None:
    """Opening raises an alert: an operator gets one, not thirty."""
    opened = at_once(workers, lambda breaker: breaker.failed("account", POLICY))

    assert opened.count(True) == 1
    assert breaker.state("account").failures == 3
    assert breaker.ask("account", POLICY).retry_after == 45


def test_breaker_closes_when_the_probe_succeeds(clocked: ClockedRedis, breaker: Breaker) -> None:
    fail(breaker, 3)
    clocked.advance(45)

    assert breaker.succeeded("account", POLICY, get_probe(breaker))
    assert breaker.ask("account", POLICY) == Permission(allowed=True)
    assert fail(breaker, 2) == [False, False]


def test_breaker_opens_again_when_the_probe_fails(clocked: ClockedRedis, breaker: Breaker) -> None:
    fail(breaker, 3)
    clocked.advance(45)
    probe = get_probe(breaker)
    clocked.advance(5)

    assert breaker.failed("account", POLICY, probe)
    assert breaker.ask("account", POLICY).retry_after == 45
    assert breaker.state("account").failures == 4
    clocked.advance(45)
    assert breaker.ask("account", POLICY).probe


def test_breaker_opens_again_on_one_failed_probe_under_a_policy_made_more_patient(
    clocked: ClockedRedis, breaker: Breaker
) -> None:
    fail(breaker, 3)
    clocked.advance(45)
    patient = BreakerPolicy(failures=10)

    assert breaker.failed("account", patient, get_probe(breaker))
    assert breaker.ask("account", patient).retry_after == 45


def test_breaker_gives_the_probe_of_a_dead_worker_to_another(clocked: ClockedRedis, breaker: Breaker) -> None:
    """Else one SIGKILL at the wrong moment would silence an account for good."""
    fail(breaker, 3)
    clocked.advance(45)
    dead = get_probe(breaker)

    clocked.advance(60, -1)
    assert breaker.ask("account", POLICY) == Permission(allowed=False, retry_after=1 / SECOND)
    clocked.advance(0, 1)
    assert get_probe(breaker) != dead


@pytest.mark.parametrize("report", [Breaker.succeeded, Breaker.failed])
def test_breaker_hears_no_probe_that_another_took_over(
    clocked: ClockedRedis, breaker: Breaker, report: Callable[..., bool]
) -> None:
    fail(breaker, 3)
    clocked.advance(45)
    slow = get_probe(breaker)
    clocked.advance(60)
    current = get_probe(breaker)

    assert not report(breaker, "account", POLICY, slow)
    assert breaker.state("account").status == "half_open"
    assert breaker.succeeded("account", POLICY, current)
    assert not report(breaker, "account", POLICY, slow)
    assert breaker.state("account") == BreakerState("closed", 0, None)


def test_breaker_hears_a_slow_probe_that_nobody_took_over(clocked: ClockedRedis, breaker: Breaker) -> None:
    fail(breaker, 3)
    clocked.advance(45)
    slow = get_probe(breaker)
    clocked.advance(100)

    assert breaker.succeeded("account", POLICY, slow)


@pytest.mark.parametrize("report", [Breaker.succeeded, Breaker.failed])
def test_breaker_is_moved_by_no_call_that_began_before_it_opened(
    clocked: ClockedRedis, breaker: Breaker, report: Callable[..., bool]
) -> None:
    fail(breaker, 3)
    clocked.advance(44)
    assert not report(breaker, "account", POLICY)
    assert breaker.ask("account", POLICY).retry_after == 1

    clocked.advance(1)
    assert not report(breaker, "account", POLICY)
    probe = get_probe(breaker)
    assert not report(breaker, "account", POLICY)
    assert not breaker.ask("account", POLICY).allowed
    assert breaker.succeeded("account", POLICY, probe)


def test_breaker_obeys_a_policy_that_was_shortened_while_open(clocked: ClockedRedis, breaker: Breaker) -> None:
    for _ in range(3):
        breaker.failed("account", BreakerPolicy(seconds=3600))

    assert breaker.ask("account", POLICY).retry_after == 45
    clocked.advance(45)
    assert breaker.ask("account", POLICY).probe


def test_breaker_is_not_stopped_by_a_clock_set_back(clocked: ClockedRedis, breaker: Breaker) -> None:
    """A failover to a machine an hour behind must not keep an account silent for an hour."""
    fail(breaker, 3)
    clocked.advance(-3600)
    assert breaker.ask("account", POLICY).retry_after == 45
    clocked.advance(45)
    get_probe(breaker)

    clocked.advance(-3600)
    assert breaker.ask("account", POLICY).retry_after == 45
    clocked.advance(45)
    assert breaker.ask("account", POLICY).probe is None
    clocked.advance(60)
    assert breaker.ask("account", POLICY).probe


def test_breaker_remembers_failures_for_a_day(clocked: ClockedRedis, breaker: Breaker) -> None:
    fail(breaker, 1)
    clocked.advance(23 * 3600)
    fail(breaker, 1)
    assert breaker.state("account").failures == 2

    clocked.advance(25 * 3600)
    assert breaker.state("account") == BreakerState("closed", 0, None)


# From here on: the script as it is shipped, on the server's own clock.


def test_breaker_opens_and_probes_on_the_clock_of_redis(redis_client: Redis) -> None:
    breaker, policy = Breaker(redis_client), BreakerPolicy(failures=1, seconds=0.2, probe_seconds=0.2)
    began = time.monotonic()
    breaker.failed("account", policy)
    refusal = breaker.ask("account", policy)
    assert not refusal.allowed
    assert 0 < refusal.retry_after <= 0.2

    permission = refusal
    while not permission.allowed:
        time.sleep(permission.retry_after)
        permission = breaker.ask("account", policy)
        assert time.monotonic() < began + 10
    assert time.monotonic() - began >= 0.2
    assert breaker.succeeded("account", policy, permission.probe)


def test_breaker_keys_expire_by_themselves(redis_client: Redis) -> None:
    breaker, policy = Breaker(redis_client), BreakerPolicy(failures=2, seconds=0.001, probe_seconds=60)
    day = 24 * 3600 * 1000

    def expires_in_a_day() -> bool:
        return day < int(redis_client.pttl("recado:breaker:account")) <= day + 60_001

    breaker.failed("account", policy)
    assert expires_in_a_day()
    breaker.failed("account", policy)
    assert expires_in_a_day()
    time.sleep(0.002)
    probe = breaker.ask("account", policy).probe
    assert probe
    assert expires_in_a_day()
    breaker.failed("account", policy, probe)
    assert expires_in_a_day()


def test_breaker_keeps_nothing_about_a_healthy_account(redis_client: Redis) -> None:
    breaker = Breaker(redis_client)
    breaker.failed("account", POLICY)
    breaker.succeeded("account", POLICY)
    breaker.ask("account", POLICY)
    breaker.succeeded("account", POLICY)
    breaker.state("account")

    assert not redis_client.exists("recado:breaker:account")


class RestartedRedis(Redis):
    """To the server, a text it has never seen: it lost its scripts when it restarted."""

    def register_script(self, script: Any) -> Script:
        return super().register_script(f"{script}-- {secrets.token_hex()}")


def test_breaker_goes_on_when_redis_was_restarted(redis_client: Redis) -> None:
    breaker = Breaker(RestartedRedis(connection_pool=redis_client.connection_pool))

    assert breaker.ask("account", POLICY) == Permission(allowed=True)
    assert fail(breaker, 3) == [False, False, True]
