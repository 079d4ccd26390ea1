"""Where an event stands in its organization's stream, as a word that clients keep and give back."""

import re
from dataclasses import dataclass
from typing import NamedTuple

# Behind the last event of any entry.
END = 9999
_SHAPE = re.compile(r"(\d{1,15})-(\d{1,15})-(\d{1,4})-([0-9a-f]{8})")


class BadOffset(Exception):
    """This was never one of our offsets."""


class Position(NamedTuple):
    """An entry of the stream, and an event in it."""

    milliseconds: int
    sequence: int
    place: int

    @classmethod
    def behind(cls, entry_id: str) -> "Position":
        """Behind all that this entry holds."""
        milliseconds, _, sequence = entry_id.partition("-")
        return cls(int(milliseconds), int(sequence), END)

    @property
    def entry_id(self) -> str:
        return f"{self.milliseconds}-{self.sequence}"


@dataclass(frozen=True, slots=True)
class Offset:
    position: Position
    # Which life of Redis it was. What another life knew is gone.
    epoch: str

    def __str__(self) -> str:
        return f"{self.position.entry_id}-{self.position.place}-{self.epoch}"

    @classmethod
    def read(cls, text: object) -> "Offset":
        shape = _SHAPE.fullmatch(text) if isinstance(text, str) and text.isascii() else None
        if shape is None:
            raise BadOffset
        return cls(Position(*map(int, shape.group(1, 2, 3))), shape[4])
