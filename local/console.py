"""What a program that somebody watches in a terminal says there, and how it is told to stop."""

import signal
from types import FrameType
from typing import NoReturn

_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_KILLED_BY = 128
_told: list[int] = []


class Stopped(BaseException):
    """Ctrl-C or SIGTERM, wherever we were; not an error, so nothing that handles errors may catch it."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.exit_code = _KILLED_BY + number
        self.is_by_hand = number == signal.SIGINT


def stop_when_told() -> None:
    for number in _STOPPING:
        signal.signal(number, _stop)


def go_on() -> None:
    """Said between steps. A signal that came in a callback raised its exception there, where Python drops it."""
    if _told:
        raise Stopped(_told[0])


def say(text: str) -> None:
    print(text, flush=True)


def _stop(number: int, _frame: FrameType | None) -> NoReturn:
    # From here on all of it is being stopped: a second Ctrl-C must not leave half of it running.
    for each in _STOPPING:
        signal.signal(each, signal.SIG_IGN)
    _told.append(number)
    raise Stopped(number)
