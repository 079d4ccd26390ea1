"""When a delivery that failed is tried again: a pure function."""

import random
from collections.abc import Callable

_MINUTE, _HOUR = 60.0, 3600.0
WAITS = (5.0, 30.0, 2 * _MINUTE, 10 * _MINUTE, 30 * _MINUTE, 2 * _HOUR, 5 * _HOUR, 8 * _HOUR, 8 * _HOUR)
# What failed together does not come back together.
JITTER = 0.1
LONGEST_WAIT = 24 * _HOUR


def seconds_until_next(
    attempts: int, retry_after: float | None, *, chance: Callable[[], float] = random.random
) -> float | None:
    """After so many attempts; None when it is given up. Never before the receiver wants it."""
    if attempts > len(WAITS):
        return None
    wait = WAITS[max(attempts, 1) - 1] * (1 - JITTER + 2 * JITTER * chance())
    return max(wait, min(retry_after or 0.0, LONGEST_WAIT))
