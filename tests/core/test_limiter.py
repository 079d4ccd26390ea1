"""The limiter against a model on a clock that only the test moves, then as it is shipped on the server's."""

import os
import secrets
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import count
from math import inf, nan
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import Redis
from redis.commands.core import Script

from apps.core.limiter import LONGEST_SECONDS, Grant, Limit, Limiter
from tests.core.clocked_redis import SECOND, ClockedRedis, forget_everything

# The examples of one test share its clock, which only goes on; each has a key of its own.
repeatable = settings(
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
key_numbers = count()


@pytest.fixture
def redis_client() -> Generator[Redis]:
    client = Redis.from_url(os.environ["REDIS_URL"])
    forget_everything(client)
    yield client
    forget_everything(client)
    client.close()


@pytest.fixture
def clocked() -> Generator[ClockedRedis]:
    client = ClockedRedis.from_url(os.environ["REDIS_URL"])
    assert isinstance(client, ClockedRedis)
    forget_everything(client)
    client.advance(microseconds=1_790_000_000 * SECOND + 123_456)
    yield client
    forget_everything(client)
    client.close()


@pytest.fixture
def limiter(clocked: ClockedRedis) -> Limiter:
    return Limiter(clocked)


@pytest.fixture
def key() -> str:
    return new_key()


def new_key() -> str:
    return f"account:{next(key_numbers)}"


def micro(seconds: float) -> int:
    return round(seconds * SECOND)


@dataclass
class Model:
    """The textbook's theoretical arrival time, one message after the other, in integers of any size."""

    limit: Limit
    now: int = 0  # in microseconds
    arrival: int = 0  # in nanoseconds
    paused_until: int = 0

    def take(self, n: int) -> Grant:
        granted = self._spend(n)
        remaining = replace(self)._spend(self.limit.burst)
        next_at = max(self.paused_until, -(-(self.arrival - self._tolerance) // 1000))
        reset_at = max(self.paused_until, -(-self.arrival // 1000), self.now)
        retry_after = next_at - self.now if granted < n else 0
        return Grant(granted, remaining, retry_after / SECOND, (reset_at - self.now) / SECOND)

    def pause(self, microseconds: int) -> None:
        self.paused_until = max(self.paused_until, self.now + microseconds)

    def resume(self) -> None:
        self.paused_until = self.now

    @property
    def _tolerance(self) -> int:
        return (self.limit.burst - 1) * self.limit.interval

    def _spend(self, most: int) -> int:
        now, spent = self.now * 1000, 0
        while spent < most and self.now >= self.paused_until and self.arrival - now <= self._tolerance:
            self.arrival = max(self.arrival, now) + self.limit.interval
            spent += 1
        return spent


limits = st.builds(
    Limit,
    st.one_of(
        st.sampled_from([1 / 3, 1.0, 7.0, 80.0, 1000.0, 30_000.0, 1_000_000.0]), st.floats(0.001, 1_000_000.0)
    ),
    st.integers(1, 60),
)
moves = st.lists(
    st.one_of(
        st.tuples(st.just("take"), st.integers(1, 80)),
        st.tuples(st.just("wait a part of the burst, in thousandths"), st.integers(0, 1500)),
        st.tuples(st.just("wait as told, and so much more or less"), st.integers(-1, 1)),
        st.tuples(st.just("wait"), st.integers(0, 3 * SECOND)),
        st.tuples(st.just("pause"), st.integers(1, 5 * SECOND)),
        st.tuples(st.just("resume"), st.just(0)),
    ),
    max_size=25,
)


@settings(repeatable, max_examples=250)
@given(limit=limits, moves=moves)
def test_limiter_grants_what_the_model_grants(
    clocked: ClockedRedis, limiter: Limiter, limit: Limit, moves: list[tuple[str, int]]
) -> None:
    key, model, told = new_key(), Model(limit), 0
    for move, value in moves:
        wait = 0
        if move == "take":
            grant = limiter.take(key, limit, value)
            assert grant == model.take(value)
            told = micro(grant.retry_after)
        elif move == "pause":
            limiter.pause(key, value / SECOND)
            model.pause(value)
        elif move == "resume":
            limiter.resume(key)
            model.resume()
        elif move == "wait":
            wait = value
        elif move == "wait as told, and so much more or less":
            wait = max(0, told + value)
        else:
            wait = limit.burst * limit.interval * value // SECOND
        if wait:
            clocked.advance(microseconds=wait)
            model.now += wait


@settings(repeatable, max_examples=60)
@given(limit=limits, pause=st.integers(0, 3 * SECOND))
def test_limiter_retry_after_is_right_to_the_microsecond(
    clocked: ClockedRedis, limiter: Limiter, limit: Limit, pause: int
) -> None:
    key = new_key()
    limiter.take(key, limit, limit.burst)
    limiter.pause(key, pause / SECOND)
    refused = limiter.take(key, limit)
    assert refused.granted == 0
    assert refused.retry_after > 0

    clocked.advance(microseconds=micro(refused.retry_after) - 1)
    assert limiter.take(key, limit).granted == 0
    clocked.advance(microseconds=1)
    assert limiter.take(key, limit).granted == 1


@pytest.mark.parametrize(
    ("rate", "burst"),
    [(0, 1), (-1, 1), (nan, 1), (inf, 1), (1_000_001, 1), (1, 0), (1, -5), (0.001, 2679), (1e-9, 1)],
)
def test_limit_refuses_what_would_grant_nothing_or_everything(rate: float, burst: int) -> None:
    with pytest.raises(ValueError, match=r"a (rate|burst)"):
        Limit(rate, burst)


def test_limit_holds_a_quota_for_a_month() -> None:
    assert Limit(rate=1_000_000 / LONGEST_SECONDS, burst=1_000_000).interval == LONGEST_SECONDS * 1000


def test_limiter_refuses_to_take_nothing(limiter: Limiter, key: str) -> None:
    with pytest.raises(ValueError, match="nothing to take"):
        limiter.take(key, Limit(1, 1), 0)


def test_limiter_grants_a_part_and_says_when_the_next_is_due(limiter: Limiter, key: str) -> None:
    limit = Limit(rate=10, burst=5)

    assert limiter.take(key, limit, 3) == Grant(granted=3, remaining=2, retry_after=0.0, reset_after=0.3)
    assert limiter.take(key, limit, 3) == Grant(granted=2, remaining=0, retry_after=0.1, reset_after=0.5)
    assert limiter.take(key, limit, 1) == Grant(granted=0, remaining=0, retry_after=0.1, reset_after=0.5)


def test_limiter_lets_no_large_request_block_small_ones(clocked: ClockedRedis, limiter: Limiter, key: str) -> None:
    limit = Limit(rate=10, burst=2)
    limiter.take(key, limit, 1_000_000)
    clocked.advance(microseconds=100_000)

    assert limiter.take(key, limit).granted == 1


def test_limiter_refills_the_whole_burst_after_a_rest(clocked: ClockedRedis, limiter: Limiter, key: str) -> None:
    limit = Limit(rate=10, burst=5)
    limiter.take(key, limit, 5)

    clocked.advance(microseconds=499_999)
    assert limiter.take(key, limit).remaining == 3
    clocked.advance(microseconds=10 * SECOND)
    assert limiter.take(key, limit, 50).granted == 5


def test_limiter_gives_many_small_takes_as_much_as_one_large(
    clocked: ClockedRedis, limiter: Limiter, key: str
) -> None:
    """An interval of 33.3 microseconds, taken every 100: what is rounded at each step would add up here."""
    limit = Limit(rate=30_000, burst=4)
    total = limiter.take(key, limit, 4).granted
    for _ in range(300):
        clocked.advance(microseconds=100)
        total += limiter.take(key, limit, 4).granted

    assert total - 4 in (899, 900)


def test_limiter_keeps_accounts_apart(limiter: Limiter, key: str) -> None:
    limiter.take(key, Limit(1, 1))
    limiter.pause(key, 60)

    assert limiter.take(new_key(), Limit(1, 1)).granted == 1


def test_limiter_grants_nothing_while_paused_and_the_whole_burst_after(
    clocked: ClockedRedis, limiter: Limiter, key: str
) -> None:
    limit = Limit(rate=1, burst=3)
    limiter.take(key, limit, 3)
    limiter.pause(key, 60)

    assert limiter.take(key, limit, 3) == Grant(granted=0, remaining=0, retry_after=60.0, reset_after=60.0)
    clocked.advance(microseconds=60 * SECOND - 1)
    assert limiter.take(key, limit, 3).retry_after == 1 / SECOND
    clocked.advance(microseconds=1)
    assert limiter.take(key, limit, 5).granted == 3


def test_limiter_pause_outlasts_takes_in_between(clocked: ClockedRedis, limiter: Limiter, key: str) -> None:
    limiter.pause(key, 10)
    for left in range(10, 0, -1):
        assert limiter.take(key, Limit(1000, 1000), 10) == Grant(0, 0, left, left)
        clocked.advance(microseconds=SECOND)

    assert limiter.take(key, Limit(1000, 1000), 10).granted == 10


def test_limiter_longest_of_several_pauses_counts(limiter: Limiter, key: str) -> None:
    limiter.pause(key, 60)
    limiter.pause(key, 5)
    assert limiter.take(key, Limit(1, 1)).retry_after == 60

    limiter.pause(key, 90)
    assert limiter.take(key, Limit(1, 1)).retry_after == 90


def test_limiter_does_not_forget_what_was_used_before_a_pause(
    clocked: ClockedRedis, limiter: Limiter, key: str
) -> None:
    limit = Limit(rate=1, burst=10)
    limiter.take(key, limit, 10)
    limiter.pause(key, 2)
    clocked.advance(microseconds=2 * SECOND)

    assert limiter.take(key, limit, 10).granted == 2


def test_limiter_resumes_with_what_was_used_still_counted(limiter: Limiter, key: str) -> None:
    limit = Limit(rate=1, burst=3)
    limiter.take(key, limit, 2)
    limiter.pause(key, 60)
    limiter.resume(key)

    assert limiter.take(key, limit, 3).granted == 1


@pytest.mark.parametrize("seconds", [0, -30])
def test_limiter_ignores_a_pause_that_is_already_over(limiter: Limiter, key: str, seconds: float) -> None:
    limiter.take(key, Limit(1, 2))
    limiter.pause(key, seconds)

    assert limiter.take(key, Limit(1, 2)).granted == 1


@pytest.mark.parametrize("seconds", [1e12, inf])
def test_limiter_cuts_an_absurd_pause_to_a_month(limiter: Limiter, key: str, seconds: float) -> None:
    limiter.pause(key, seconds)

    assert limiter.take(key, Limit(1, 1)).retry_after == LONGEST_SECONDS


def test_limiter_feels_a_raised_quota_at_once(limiter: Limiter, key: str) -> None:
    month = LONGEST_SECONDS
    limiter.take(key, Limit(1000 / month, 1000), 1000)

    assert limiter.take(key, Limit(1500 / month, 1500), 2000).granted == 500


def test_limiter_gives_a_lowered_quota_no_second_burst(limiter: Limiter, key: str) -> None:
    limiter.take(key, Limit(10, 100), 60)

    assert limiter.take(key, Limit(1, 50)) == Grant(granted=0, remaining=0, retry_after=11.0, reset_after=60.0)


def test_limiter_stays_within_a_month_when_a_spent_quota_is_cut(limiter: Limiter, key: str) -> None:
    limiter.take(key, Limit(1000, 1_000_000), 1_000_000)

    assert limiter.take(key, Limit(1 / LONGEST_SECONDS, 1)).reset_after == LONGEST_SECONDS


def test_limiter_is_not_stopped_by_a_clock_set_back(clocked: ClockedRedis, limiter: Limiter, key: str) -> None:
    """A failover to a machine an hour behind must not silence every account for an hour."""
    limit = Limit(rate=10, burst=5)
    limiter.take(key, limit, 5)
    limiter.pause(key, 2)
    clocked.advance(microseconds=-3600 * SECOND)

    assert limiter.take(key, limit, 5).retry_after == 2
    clocked.advance(microseconds=2 * SECOND)
    assert limiter.take(key, limit, 5).granted == 5


# From here on: the script as it is shipped, on the server's own clock.


def read_clock(client: Redis) -> float:
    seconds, microseconds = client.time()
    return seconds + microseconds / SECOND


def test_limiter_holds_across_32_workers(redis_client: Redis) -> None:
    """Neither one more than the limit, which a provider would punish, nor one less, which is speed given away."""
    limit, workers, seconds = Limit(rate=1000, burst=500), 32, 0.6
    clients = [Redis.from_url(os.environ["REDIS_URL"]) for _ in range(workers)]
    for client in clients:
        client.ping()
    end = time.monotonic() + seconds

    def work(client: Redis, n: int) -> int:
        limiter, granted = Limiter(client), 0
        while time.monotonic() < end:
            granted += limiter.take("shared", limit, n).granted
        return granted

    with ThreadPoolExecutor(workers) as threads:
        before_first = read_clock(redis_client)
        total = Limiter(redis_client).take("shared", limit, limit.burst).granted
        after_first = read_clock(redis_client)
        total += sum(threads.map(work, clients, [1 + number % 7 for number in range(workers)]))
        before_last = read_clock(redis_client)
        total += Limiter(redis_client).take("shared", limit, 1_000_000).granted
        after_last = read_clock(redis_client)
    for client in clients:
        client.close()

    assert total <= limit.rate * (after_last - before_first) + limit.burst
    assert total >= limit.rate * (before_last - after_first) + limit.burst - 1


def test_limiter_keys_expire_by_themselves(redis_client: Redis) -> None:
    limiter, limit = Limiter(redis_client), Limit(rate=1, burst=60)

    def expiry(key: str) -> int:
        return int(redis_client.pttl(f"recado:limit:{key}"))

    limiter.take("taken", limit, 30)
    assert 29_000 < expiry("taken") <= 30_001
    limiter.pause("taken", 50)
    assert 49_000 < expiry("taken") <= 50_001
    limiter.take("taken", limit)
    assert 49_000 < expiry("taken") <= 50_001

    limiter.pause("paused", 20)
    limiter.resume("paused")
    assert expiry("paused") > 0


def test_limiter_leaves_nothing_behind_once_the_burst_is_free(redis_client: Redis) -> None:
    Limiter(redis_client).take("brief", Limit(rate=100, burst=1))

    deadline = time.monotonic() + 5
    while redis_client.exists("recado:limit:brief"):
        assert time.monotonic() < deadline


class RestartedRedis(Redis):
    """To the server, a text it has never seen: it lost its scripts when it restarted."""

    def register_script(self, script: Any) -> Script:
        return super().register_script(f"{script}-- {secrets.token_hex()}")


def test_limiter_goes_on_when_redis_was_restarted(redis_client: Redis) -> None:
    limiter = Limiter(RestartedRedis(connection_pool=redis_client.connection_pool))

    assert limiter.take("account", Limit(1, 1)).granted == 1
    assert limiter.take("account", Limit(1, 1)).granted == 0


class CountedRedis(Redis):
    commands = 0

    def execute_command(self, *args: Any, **options: Any) -> Any:
        self.commands += 1
        return super().execute_command(*args, **options)  # type: ignore[no-untyped-call]


def test_limiter_asks_redis_once_for_a_take_of_any_size(redis_client: Redis) -> None:
    client = CountedRedis(connection_pool=redis_client.connection_pool)
    limiter, limit = Limiter(client), Limit(1000, 1000)
    limiter.take("counted", limit)
    client.commands = 0

    limiter.take("counted", limit, 500)
    assert client.commands == 1
