"""When a delivery is tried again."""

import pytest

from apps.callbacks.engine.retry import LONGEST_WAIT, WAITS, seconds_until_next


def test_retry_goes_on_for_about_a_day() -> None:
    waits = [seconds_until_next(attempts, None, chance=lambda: 0.5) for attempts in range(1, 11)]
    assert waits == [*WAITS, None]
    assert 20 * 3600 < sum(WAITS) < 26 * 3600


@pytest.mark.parametrize(("chance", "seconds"), [(0.0, 4.5), (0.5, 5.0), (1.0, 5.5)])
def test_retry_comes_a_little_sooner_or_later(chance: float, seconds: float) -> None:
    assert seconds_until_next(1, None, chance=lambda: chance) == pytest.approx(seconds)


@pytest.mark.parametrize(("asked", "seconds"), [(0.0, 5.0), (60.0, 60.0), (10.0**6, LONGEST_WAIT)])
def test_retry_waits_for_as_long_as_it_is_asked_to(asked: float, seconds: float) -> None:
    assert seconds_until_next(1, asked, chance=lambda: 0.5) == seconds
