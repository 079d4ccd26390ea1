"""What a check came to, in few words."""

from apps.registration.kinds import Kind
from apps.registration.validation.checking import Checked, Wrong, check


def value(kind: Kind, text: str) -> str:
    found = check(kind, text)
    assert isinstance(found, Checked), found
    return found.value


def wrong(kind: Kind, text: str) -> Wrong:
    found = check(kind, text)
    assert isinstance(found, Wrong), found
    return found
