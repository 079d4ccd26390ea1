"""Brazilian addresses as people write them in one breath, taken apart as well as words allow.

What is left over between the number and the state is a district and a city, in that order. Whoever wrote it is
shown what was understood, so a guess that fails is corrected; nothing is ever invented.
"""

import re
from dataclasses import dataclass, field

from apps.registration.validation import address_words as words
from apps.registration.validation.address import Address
from apps.registration.validation.characters import folded
from apps.registration.validation.states import BY_NAME, STATES, is_beyond_namesake

_POSTAL_CODE = re.compile(
    r"(?:\bcep\b[\s:.º°n]{0,6})?(?<![\d.-])(\d{2}\.?\d{3})\s?-?\s?(\d{3})(?![\d-])", re.IGNORECASE
)
_ANY_CODE = re.compile(r"\bcep\b[\s:.º°n]{0,6}(\d[\d .-]{0,14})", re.IGNORECASE)
_BETWEEN = re.compile(r"[,;|\n]| - |(?<=\w)- ")
_ENDS_IN_STATE = re.compile(r"(?P<before>.+?)(?P<sign> ?[/(-] ?| )(?P<state>[a-z]{2})\)?", re.IGNORECASE)
_LABELS = {"bairro": "district", "cidade": "city", "municipio": "city", "complemento": "complement"}
_EDGES = " .-/()"


def parts_of(text: str) -> Address:
    reading = _Reading(text)
    reading.take_postal_code()
    reading.split()
    reading.take_labelled()
    reading.take_state()
    reading.take_street()
    reading.take_complements()
    reading.take_places()
    return Address(**reading.parts)


@dataclass(slots=True)
class _Reading:
    rest: str
    segments: list[str] = field(default_factory=list)
    parts: dict[str, str] = field(default_factory=dict)

    def take_postal_code(self) -> None:
        """One that is said to be one is taken even where it is none, so that the person hears of it."""
        found = _ANY_CODE.search(self.rest) or _POSTAL_CODE.search(self.rest)
        if found:
            whole = _POSTAL_CODE.match(self.rest, found.start()) or found
            self.parts["postal_code"] = re.sub(r"\D", "", "".join(whole.groups()))
            self.rest = f"{self.rest[: whole.start()]}, {self.rest[whole.end() :]}"

    def split(self) -> None:
        pieces = (" ".join(piece.split()).strip(_EDGES) for piece in _BETWEEN.split(self.rest))
        self.segments = [piece for piece in pieces if piece and folded(piece) not in words.COUNTRY]

    def take_labelled(self) -> None:
        kept = []
        for segment in self.segments:
            label = words.LABEL.match(segment)
            value = segment[label.end() :] if label else segment
            name = folded(label["label"]) if label else ""
            if district := words.DISTRICT.match(segment):
                self.parts["district"] = segment[district.end() :]
            elif name == "numero" and (number := words.NUMBER.match(value)):
                self._is_number(number["number"])
            elif name in _LABELS:
                self.parts[_LABELS[name]] = value
            else:
                kept.append(f"{label['label']} {value}" if label and name == "rua" else value)
        self.segments = kept

    def take_state(self) -> None:
        """The last that can be one. What stands before it is the city."""
        for at in reversed(range(len(self.segments))):
            segment = self.segments[at]
            ending = _ENDS_IN_STATE.fullmatch(segment)
            if segment.upper() in STATES:
                self._is_in(segment, self.segments[:at], self.segments[at + 1 :])
                return
            is_last = at == len(self.segments) - 1
            if ending and ending["state"].upper() in STATES and _is_meant(ending, is_last=is_last):
                self._is_in(ending["state"], [*self.segments[:at], ending["before"]], self.segments[at + 1 :])
                return
        if self.segments and self._ends_in_name_of_state():
            self._is_in(BY_NAME[folded(self.segments[-1])], self.segments[:-1], [])

    def _is_in(self, state: str, before: list[str], after: list[str]) -> None:
        self.parts["state"] = state.upper()
        if before and "city" not in self.parts and not _is_of_street(before[-1]):
            self.parts["city"] = before.pop()
        self.segments = before + after

    def _ends_in_name_of_state(self) -> bool:
        """São Paulo and Rio de Janeiro are states too, but mostly cities."""
        *before, last = (folded(segment) for segment in self.segments)
        state = BY_NAME.get(last)
        if state is None or folded(STATES[state].capital) != last:
            return state is not None
        postal_code = self.parts.get("postal_code", "")
        is_beyond = len(postal_code) == 8 and is_beyond_namesake(postal_code)
        return last in before or ("city" in self.parts) or (is_beyond and len(before) > 1)

    def take_street(self) -> None:
        starts = ((at, words.street_start(segment, is_first=at == 0)) for at, segment in enumerate(self.segments))
        at, start = next(((at, start) for at, start in starts if start is not None), (0, None))
        if not self.segments or (start is None and not self._is_numbered()):
            # The street may be known by its postal code.
            any(self._take_number(at) for at in range(len(self.segments)))
            return
        street = self.segments.pop(at)[start or 0 :]
        if "number" not in self.parts and not self._take_number(at):
            street, rest = self._numbered(street)
            self.segments.insert(at, rest)
        self.parts["street"] = street

    def _take_number(self, at: int) -> bool:
        """Whether there is one at the beginning of this segment."""
        segment = self.segments[at] if at < len(self.segments) else ""
        number = _number_first(segment)
        if number is None:
            return False
        self._is_number(number["number"])
        self.segments[at] = segment[number.end() :].strip(_EDGES)
        return True

    def _is_numbered(self) -> bool:
        """Whether the first thing written is a street that nobody called one: a number follows."""
        first, second = [*self.segments, "", ""][:2]
        is_other = words.COMPLEMENT.match(first) or _number_first(first)
        is_named = any(character.isalpha() for character in first) and not is_other
        return is_named and (words.NUMBER.fullmatch(second) is not None or _number_in(first) is not None)

    def _numbered(self, segment: str) -> tuple[str, str]:
        """A street, and what stands behind its number, or in its place."""
        number = _number_in(segment)
        unit = words.COMPLEMENT_BEHIND.search(segment)
        if number is None or (unit and unit.start() < number.start()):
            at = unit.start() if unit else len(segment)
            return segment[:at].strip(_EDGES), segment[at:].strip(_EDGES)
        self._is_number(number["number"])
        return segment[: number.start()].strip(_EDGES), segment[number.end() :].strip(_EDGES)

    def _is_number(self, written: str) -> None:
        is_none = written[:1].lower() == "s"
        self.parts["number"] = words.NO_NUMBER if is_none else written.replace(".", "").upper().replace("KM", "km")

    def take_complements(self) -> None:
        complements: list[str] = []
        places: list[str] = []
        for segment in filter(None, self.segments):
            left = segment
            while not words.is_complement(left) and (found := words.COMPLEMENT.match(left)):
                complements.append(found[0])
                left = left[found.end() :].strip(_EDGES)
            (complements if words.is_complement(left) else places).append(left)
        self.segments = [place for place in places if place]
        if complements and "complement" not in self.parts:
            self.parts["complement"] = ", ".join(complements)
        if "number" not in self.parts and words.is_numberless(self.parts.get("street", ""), complements):
            self.parts["number"] = words.NO_NUMBER

    def take_places(self) -> None:
        if "city" not in self.parts and self.segments and not words.is_never_a_city(self.segments[-1]):
            self._is_city(self.segments.pop())
        if "district" not in self.parts and self.segments:
            self.parts["district"] = self.segments.pop()
        if self.segments and "complement" not in self.parts:
            self.parts["complement"] = ", ".join(self.segments)

    def _is_city(self, written: str) -> None:
        """Where nothing parts the two, a state's capital is known behind a district."""
        state = self.parts.get("state")
        capital = STATES[state].capital if state else ""
        if capital and folded(written).endswith(f" {folded(capital)}"):
            self.segments.append(written[: -len(capital)].strip(_EDGES))
            written = written[-len(capital) :]
        self.parts["city"] = written


def _is_meant(ending: re.Match[str], *, is_last: bool) -> bool:
    """Two letters are a word too, such as in "Rua da Sé": unless in capitals, behind a sign, or last of all."""
    return ending["state"].isupper() or ending["sign"] != " " or is_last


def _is_of_street(segment: str) -> bool:
    is_named = words.street_start(segment, is_first=False) is not None
    return is_named or _number_in(segment) is not None or words.is_complement(segment)


def _number_first(segment: str) -> re.Match[str] | None:
    """Not that of "12 andar", nor of "25 de Março"."""
    number = words.NUMBER.match(segment)
    is_of_more = words.COMPLEMENT.match(segment) or (number and segment.startswith(" de ", number.end()))
    return None if is_of_more else number


def _number_in(segment: str) -> re.Match[str] | None:
    """Not that of "Rua 25 de Março", nor of "BR 116"."""
    for number in words.NUMBER.finditer(segment):
        before, after = segment[: number.start()], segment[number.end() :]
        is_behind_name = before.endswith(" ") and not all(map(words.is_street_type, before.split()))
        if is_behind_name and not after.startswith(" de "):
            return number
    return None
