"""What a message came to: what the person wants, and the values in it, checked. As it is kept with a turn."""

from dataclasses import dataclass, field
from typing import Any

import orjson
from django.utils import translation

from apps.registration.kinds import Kind
from apps.registration.understanding.reading import Intent, Reading
from apps.registration.validation.checking import Checked, check


@dataclass(frozen=True, slots=True)
class Mistake:
    kind: Kind
    code: str
    # For the person, in their language.
    detail: str
    # The value that it asks after, if it does.
    meant: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Heard:
    intent: Intent = Intent.OTHER
    values: tuple[tuple[Kind, str], ...] = field(default=(), repr=False)
    mistakes: tuple[Mistake, ...] = field(default=(), repr=False)
    # What was said to be wrong.
    corrects: Kind | None = None
    # No message, but a person of the team who hands the conversation back.
    is_handed_back: bool = False


HANDED_BACK = Heard(is_handed_back=True)


def checked(reading: Reading, language: str) -> Heard:
    """Whatever a reader says it found is believed only if it is valid."""
    values: list[tuple[Kind, str]] = []
    mistakes: list[Mistake] = []
    with translation.override(language.lower()):
        for slot in reading.slots:
            found = check(slot.kind, slot.text)
            if isinstance(found, Checked):
                values.append((slot.kind, found.value))
            else:
                mistakes.append(Mistake(slot.kind, found.code, str(found.detail), found.meant))
    return Heard(reading.intent, tuple(values), tuple(mistakes), reading.corrects)


def as_text(heard: Heard) -> str:
    document: dict[str, Any] = {
        "intent": heard.intent,
        "values": heard.values,
        "mistakes": [(each.kind, each.code, each.detail, each.meant) for each in heard.mistakes],
        "corrects": heard.corrects,
        "is_handed_back": heard.is_handed_back,
    }
    return orjson.dumps(document).decode()


def from_text(text: str) -> Heard:
    document = orjson.loads(text)
    return Heard(
        Intent(document["intent"]),
        tuple((Kind(kind), value) for kind, value in document["values"]),
        tuple(Mistake(Kind(kind), code, detail, meant) for kind, code, detail, meant in document["mistakes"]),
        Kind(document["corrects"]) if document["corrects"] else None,
        document["is_handed_back"],
    )
