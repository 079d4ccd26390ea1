"""Reads the control API's JSON: a field is what it should be, or the caller learns which one is not."""

from collections.abc import Mapping
from typing import Any

LONGEST_SECONDS = 24 * 3600.0


class BadField(Exception):
    """A field is missing, unknown or out of range. The message is the answer to whoever sent it."""


def read_object(value: object, known: frozenset[str], what: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise BadField(f"{what} is a JSON object")
    if unknown := sorted(value.keys() - known):
        # A misspelt field that is passed over is a fault that never strikes, and a test that proves nothing.
        raise BadField(f"{what} has no {', '.join(unknown)}; it has {', '.join(sorted(known))}")
    return value


def read_text(given: Mapping[str, Any], name: str) -> str | None:
    value = given.get(name)
    if value is None or (isinstance(value, str) and value):
        return value
    raise BadField(f"{name} is a text that is not empty")


def read_number(given: Mapping[str, Any], name: str, most: float = LONGEST_SECONDS) -> float | None:
    """From 0 to `most`."""
    value = given.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise BadField(f"{name} is a number from 0 to {most:g}")
    return float(value)


def read_count(given: Mapping[str, Any], name: str) -> int | None:
    value = given.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise BadField(f"{name} is a whole number above 0")
    return value
