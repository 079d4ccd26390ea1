"""On which days people are left alone, and on which a bill cannot be paid at a bank."""

from datetime import date, timedelta
from functools import lru_cache

import holidays

from apps.billing.dates.area_codes import STATES
from apps.billing.models import DaysOff

_DAY = timedelta(days=1)
_SATURDAY = 5
# Longer than any row of days off; whoever walks over them comes to an end.
_LONGEST_ROW = 30


def is_day_off(day: date, rule: DaysOff, state: str) -> bool:
    if rule == DaysOff.NONE:
        return False
    if day.weekday() >= _SATURDAY:
        return True
    if rule == DaysOff.BANKING:
        return day in _bank_holidays(day.year)
    return is_holiday(day, state)


def is_holiday(day: date, state: str) -> bool:
    """By the law of the country, or of that state. Carnival is one in Rio de Janeiro alone, by that."""
    return day in _holidays(state if state in STATES else "", day.year)


def next_open_day(day: date, rule: DaysOff, state: str) -> date:
    """The day itself, where it is none off."""
    return _open_day(day, _DAY, rule, state)


def open_day_before(day: date, rule: DaysOff, state: str) -> date:
    return _open_day(day - _DAY, -_DAY, rule, state)


def _open_day(day: date, step: timedelta, rule: DaysOff, state: str) -> date:
    for _ in range(_LONGEST_ROW):
        if not is_day_off(day, rule, state):
            break
        day += step
    return day


# Some ten years of all states.
@lru_cache(maxsize=320)
def _holidays(state: str, year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays("BR", subdiv=state or None, years=year))


@lru_cache(maxsize=32)
def _bank_holidays(year: int) -> frozenset[date]:
    """The exchange's, but for Christmas Eve: then banks open, for some hours.

    Like the exchange, banks rest at carnival (Monday and Tuesday) and Corpus Christi, which the law calls no
    holidays, and let nobody in on the last working day of the year. That one counts although banks settle among
    themselves: whoever pays at a counter cannot, and a bill of that day is taken without interest on the next.
    Holidays of states and cities do not count: a bill may be paid at any bank of the country.
    """
    return frozenset(holidays.financial_holidays("B3", years=year)) - {date(year, 12, 24)}
