"""How long work takes that must take no time, whoever else is busy."""

import time
from collections.abc import Callable


def quickest(work: Callable[[], object]) -> float:
    """Seconds of this thread alone, the least of three: the garbage collector has all of the suite to look at."""
    return min(_takes(work) for _ in range(3))


def _takes(work: Callable[[], object]) -> float:
    began = time.thread_time()
    work()
    return time.thread_time() - began
