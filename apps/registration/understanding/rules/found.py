"""A value in a message, and where it stands."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from apps.registration.kinds import Kind
from apps.registration.understanding.reading import Asked

# More than anybody has; each is compared with all others.
_MOST_VALUES = 16


@dataclass(frozen=True, slots=True)
class Found:
    kind: Kind
    start: int
    end: int
    # Whether it looks as such a value does; else it is only what stands where one was asked for.
    is_well_formed: bool = True


@dataclass(slots=True)
class Message:
    """A message while its values are looked for. `folded` has each character where `text` has it."""

    text: str
    folded: str
    asked: Asked
    found: list[Found] = field(default_factory=list)

    def add(self, found: Found) -> None:
        if len(self.found) < _MOST_VALUES and self.is_free(found.start, found.end):
            self.found.append(found)

    def is_free(self, start: int, end: int) -> bool:
        return start < end and all(end <= each.start or each.end <= start for each in self.found)

    def of(self, kind: Kind) -> list[Found]:
        return [each for each in self.found if each.kind is kind]

    def is_named_before(self, words: re.Pattern[str], start: int, within: int = 30) -> bool:
        """Whether what stands shortly before says what follows."""
        return bool(words.search(self.folded, max(0, start - within), start))

    def next_after(self, start: int) -> int:
        """Where the next value begins that is found already."""
        return min((each.start for each in self.found if each.start >= start), default=len(self.text))

    def masked(self) -> str:
        """What is said around the values, each of which is only named."""
        pieces: list[str] = []
        done = 0
        for each in self.in_order():
            pieces += self.folded[done : each.start], f" #{each.kind} "
            done = each.end
        return "".join([*pieces, self.folded[done:]])

    def in_order(self) -> Iterable[Found]:
        return sorted(self.found, key=lambda each: each.start)
