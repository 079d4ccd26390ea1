"""Days of birth, as people write days: in Brazil the day comes first, with or without the month's name."""

import re
from datetime import date

from django.utils.translation import gettext as _

from apps.core import clock
from apps.registration.validation.characters import folded, typed
from apps.registration.validation.refused import Refused

LONGEST = 60
EARLIEST = date(1900, 1, 1)
_WRITTEN = re.compile(r"[0-9a-z\s/.,°-]+")
_WORDS = re.compile(r"[0-9]+|[a-z]+")
_SOLID = re.compile(r"[0-9]{8}")
_FILLERS = frozenset({"de", "do", "dia", "em", "o", "a", "of", "on", "the", "st", "nd", "rd", "th"})
# Portuguese and English, without accents.
_MONTH_NAMES = (
    "jan janeiro january",
    "fev fevereiro feb february",
    "mar marco march",
    "abr abril apr april",
    "mai maio may",
    "jun junho june",
    "jul julho july",
    "ago agosto aug august",
    "set setembro sep sept september",
    "out outubro oct october",
    "nov novembro november",
    "dez dezembro dec december",
)
_MONTHS = {name: str(n) for n, names in enumerate(_MONTH_NAMES, start=1) for name in names.split()}


def read(text: str) -> str:
    year, month, day = _year_month_day(text)
    born = _day(year, month, day) or _day(year, day, month)
    if born is None:
        raise Refused("no_such_day", _("There is no such day. Write your date of birth as 31/12/1990."))
    if born > clock.now().date():
        raise Refused("in_future", _("This day is yet to come. Write your date of birth as 31/12/1990."))
    if born < EARLIEST:
        raise Refused("too_early", _("This is too long ago. Write your date of birth as 31/12/1990."))
    return born.isoformat()


def _year_month_day(text: str) -> tuple[str, str, str]:
    """Digits as they were written. Where day and month may be either, the day is taken to come first."""
    written = folded(typed(text))
    words = [word for word in _WORDS.findall(written) if word not in _FILLERS]
    if not _WRITTEN.fullmatch(written):
        raise _unreadable()
    if len(words) == 1 and _SOLID.fullmatch(words[0]):
        words = [words[0][:2], words[0][2:4], words[0][4:]]
    match ["1" if word == "primeiro" else word for word in words]:
        case [day, name, year] if name in _MONTHS and _is_day(day) and _is_year(year):
            return year, _MONTHS[name], day
        case [name, day, year] if name in _MONTHS and _is_day(day) and _is_year(year):
            return year, _MONTHS[name], day
        case [year, month, day] if len(year) == 4 and year.isdigit() and _is_day(month) and _is_day(day):
            return year, month, day
        case [day, month, year] if _is_day(day) and _is_day(month) and _is_year(year):
            return year, month, day
        case _other:
            raise _unreadable()


def _day(year: str, month: str, day: str) -> date | None:
    """Of a year in two digits, the last such day that has been."""
    if len(year) == 2:
        recent = _day(f"20{year}", month, day)
        return recent if recent and recent <= clock.now().date() else _day(f"19{year}", month, day)
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def _is_day(word: str) -> bool:
    return word.isdigit() and len(word) <= 2


def _is_year(word: str) -> bool:
    return word.isdigit() and len(word) in {2, 4}


def _unreadable() -> Refused:
    return Refused("bad_date", _("Write your date of birth as 31/12/1990."))
