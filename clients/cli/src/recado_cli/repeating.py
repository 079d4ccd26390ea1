"""Once more, where what went wrong may pass: after waits that grow, and are random lest all come at once."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from recado_cli.failures import Failed

TRIES = 5
# Full jitter: a random time up to a bound that doubles.
BASE_SECONDS = 0.5
CAP_SECONDS = 20.0
# Whoever wants to be left alone for longer is told of to the person.
LONGEST_WAIT = 60.0

T = TypeVar("T")


def repeat(work: Callable[[], T]) -> T:
    failures = 0
    while True:
        try:
            return work()
        except Failed as failed:
            failures += 1
            pause(failed, failures)


def pause(failed: Failed, failures: int) -> None:
    """Before the next try; raises what failed where there is none."""
    if not failed.may_pass or failures >= TRIES or failed.wait > LONGEST_WAIT:
        raise failed
    bound = min(CAP_SECONDS, BASE_SECONDS * 2**failures)
    time.sleep(max(failed.wait, random.uniform(0, bound)))  # noqa: S311 - no secret
