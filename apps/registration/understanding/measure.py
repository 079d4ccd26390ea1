"""How well a reader reads: over a table of utterances with what each of them means.

The part of the table that is held back is for measuring only. Whoever changes a reader looks at the other part.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from apps.registration.kinds import Kind
from apps.registration.understanding.reading import Asked, Intent, Reader, Reading, Slot
from apps.registration.understanding.rules.normalizing import folded

FOLDER = Path(__file__).with_name("utterances")

_NEXT_SLOT = re.compile(rf"; (?=(?:{'|'.join(Kind.values)})=)")
_SUMMARY, _CONSENT = "summary", "consent"


@dataclass(frozen=True, slots=True)
class Utterance:
    text: str
    asked: Asked
    meant: Reading
    is_held: bool


@dataclass(slots=True)
class Tally:
    right: int = 0
    all: int = 0

    def count(self, *, is_right: bool) -> None:
        self.right += is_right
        self.all += 1

    @property
    def share(self) -> float:
        return self.right / self.all if self.all else 1.0


@dataclass(slots=True)
class Measured:
    intents: dict[Intent, Tally] = field(default_factory=lambda: {intent: Tally() for intent in Intent})
    slots: dict[Kind, Tally] = field(default_factory=lambda: {kind: Tally() for kind in Kind})
    corrects: Tally = field(default_factory=Tally)
    # Slots that nobody gave.
    invented: int = 0
    misread: list[tuple[Utterance, Reading]] = field(default_factory=list)

    @property
    def all_intents(self) -> Tally:
        return _sum(self.intents.values())

    @property
    def all_slots(self) -> Tally:
        return _sum(self.slots.values())


def utterances(folder: Path = FOLDER) -> Iterator[Utterance]:
    for path in sorted(folder.glob("*.tsv")):
        with path.open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
                yield _utterance(row)


def measure(reader: Reader, table: Sequence[Utterance]) -> Measured:
    return compare(table, [reader.read(each.text, each.asked) for each in table])


def compare(table: Sequence[Utterance], readings: Sequence[Reading]) -> Measured:
    measured = Measured()
    for each, reading in zip(table, readings, strict=True):
        is_intent_right = reading.intent is each.meant.intent
        measured.intents[each.meant.intent].count(is_right=is_intent_right)
        meant, found = _comparable(each.meant.slots), _comparable(reading.slots)
        for slot in meant:
            measured.slots[slot[0]].count(is_right=slot in found)
        measured.invented += len(found - meant)
        if each.meant.corrects:
            measured.corrects.count(is_right=reading.corrects is each.meant.corrects)
        if not is_intent_right or found != meant or reading.corrects is not each.meant.corrects:
            measured.misread.append((each, reading))
    return measured


def _comparable(slots: Iterable[Slot]) -> set[tuple[Kind, str]]:
    """Case, spaces, accents and what stands around a value do not count."""
    return {(slot.kind, " ".join(folded(slot.text).split()).strip(" .,;:!?-\"'")) for slot in slots}


def _sum(tallies: Iterable[Tally]) -> Tally:
    total = Tally()
    for each in tallies:
        total.right += each.right
        total.all += each.all
    return total


def _utterance(row: dict[str, str]) -> Utterance:
    asked = row["asked"]
    kind = None if asked in {"", _SUMMARY, _CONSENT} else Kind(asked)
    pairs = [pair.partition("=") for pair in _NEXT_SLOT.split(row["slots"]) if pair]
    slots = tuple(Slot(Kind(kind), text) for kind, _equals, text in pairs)
    corrects = Kind(row["corrects"]) if row["corrects"] else None
    return Utterance(
        text=row["text"].replace("\\n", "\n"),
        asked=Asked(kind, is_summary=asked == _SUMMARY, is_consent=asked == _CONSENT),
        meant=Reading(Intent(row["intent"]), slots, corrects),
        is_held=row["held"] == "yes",
    )
