"""Which backups stay."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.operations.backup.policy import Policy, kept

NOON = datetime(2026, 3, 31, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def days_ago(*days: float) -> list[datetime]:
    return [NOON - each * DAY for each in days]


@pytest.mark.parametrize(
    ("policy", "there_are", "stay"),
    [
        (Policy(7, 5, 12), [], []),
        (Policy(0, 0, 0), [0, 1, 2], [0]),
        (Policy(2, 0, 0), [0, 1, 2, 3], [0, 1]),
        # The newest of each day.
        (Policy(2, 0, 0), [0, 0.1, 0.2, 1, 1.1], [0, 1]),
        # Days without one count for nothing.
        (Policy(3, 0, 0), [0, 20, 40, 60], [0, 20, 40]),
        # 31 March 2026 is a Tuesday: weeks begin one and eight days before it.
        (Policy(0, 3, 0), [0, 1, 2, 8, 9, 15], [0, 2, 9]),
        (Policy(0, 0, 3), [0, 30, 31, 58, 59, 90], [0, 31, 59]),
        (Policy(1, 1, 2), [0, 1, 31, 32], [0, 31]),
    ],
)
def test_the_newest_of_each_period_stays(policy: Policy, there_are: list[float], stay: list[float]) -> None:
    assert kept(days_ago(*there_are), policy) == set(days_ago(*stay))


def test_days_are_those_of_utc() -> None:
    late = datetime.fromisoformat("2026-03-30T22:30:00-03:00")
    assert kept([late, NOON], Policy(7, 0, 0)) == {NOON}


span = (datetime(2020, 1, 1), datetime(2030, 1, 1))  # noqa: DTZ001 - strategies add the zone
times = st.lists(st.datetimes(*span, timezones=st.just(UTC)), unique=True)
policies = st.builds(Policy, st.integers(0, 40), st.integers(0, 20), st.integers(0, 20))


@given(times, policies)
def test_the_newest_always_stays_and_no_more_than_asked(there_are: list[datetime], policy: Policy) -> None:
    stay = kept(there_are, policy)
    assert stay <= set(there_are)
    assert len(stay) <= max(1, policy.daily + policy.weekly + policy.monthly)
    if there_are:
        assert max(there_are) in stay


@given(times, policies)
def test_pruning_again_prunes_nothing(there_are: list[datetime], policy: Policy) -> None:
    """Half a run that goes on later ends where a whole one does."""
    stay = kept(there_are, policy)
    assert kept(stay, policy) == stay


@given(times.filter(bool), policies, st.integers(1, 400))
def test_a_new_backup_keeps_what_a_longer_policy_keeps(
    there_are: list[datetime], policy: Policy, days: int
) -> None:
    """Time alone removes nothing: only newer backups do."""
    longer = Policy(policy.daily + days, policy.weekly + days, policy.monthly + days)
    assert kept(there_are, policy) <= kept(there_are, longer)
