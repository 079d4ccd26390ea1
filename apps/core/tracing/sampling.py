"""Which traces are kept. Decided once, where a trace comes in; all that follows does as its parent did."""

import time
from random import random

from django.conf import settings

from apps.core.tracing.trace_context import Parent

# A caller whose own trace is sampled sees ours in it. Anybody can say so, so a process believes it so often a
# second; beyond that the ratio decides.
MOST_ASKED_FOR = 20

_second = 0
_asked_for = 0


def is_kept(parent: Parent | None = None) -> bool:
    if parent is not None and parent.is_sampled and _believes():
        return True
    return random() < settings.TRACES_SAMPLE_RATIO  # noqa: S311 - nothing secret hangs on it


def _believes() -> bool:
    """Threads may miscount by one or two, which does not matter."""
    global _second, _asked_for  # noqa: PLW0603 - of the process
    second = int(time.monotonic())
    if second != _second:
        _second, _asked_for = second, 0
    _asked_for += 1
    return _asked_for <= MOST_ASKED_FOR
