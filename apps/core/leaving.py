"""Whether this process was told to stop, and serves on only until that has been noticed."""

from threading import Event

_told = Event()


def leave() -> None:
    _told.set()


def is_leaving() -> bool:
    return _told.is_set()
