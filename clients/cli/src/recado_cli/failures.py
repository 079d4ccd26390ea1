"""What can go wrong, in words that say what to do, and how the program ends then."""

from enum import IntEnum


class Exit(IntEnum):
    """README.md documents these: scripts rely on them."""

    OK = 0
    REFUSED = 1
    USAGE = 2
    NOT_LOGGED_IN = 3
    UNREACHABLE = 4
    NOT_DELIVERED = 5
    TIMED_OUT = 6
    INTERRUPTED = 130


class Failed(Exception):
    """The message is for the person at the terminal."""

    exit_code = Exit.REFUSED
    # Whether the same may work a little later, and in how many seconds at the soonest.
    may_pass = False
    wait = 0.0


class BadUsage(Failed):
    exit_code = Exit.USAGE


class NotLoggedIn(Failed):
    exit_code = Exit.NOT_LOGGED_IN


class Unreachable(Failed):
    exit_code = Exit.UNREACHABLE
    may_pass = True


class UploadEnded(Failed):
    """There is nothing left to go on with."""


class NotDelivered(Failed):
    exit_code = Exit.NOT_DELIVERED


class TimedOut(Failed):
    exit_code = Exit.TIMED_OUT
