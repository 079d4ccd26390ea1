"""Weekends, holidays, and days on which banks are closed."""

from datetime import date, timedelta

import pytest

from apps.billing.dates.area_codes import STATES
from apps.billing.dates.days_off import is_day_off, next_open_day, open_day_before
from apps.billing.models import DaysOff

NONE, WORKING, BANKING = DaysOff.NONE, DaysOff.WORKING, DaysOff.BANKING


@pytest.mark.parametrize(
    ("day", "state", "is_off", "is_bank_closed"),
    [
        (date(2026, 3, 10), "SP", False, False),  # a Tuesday
        (date(2026, 3, 7), "SP", True, True),  # a Saturday
        (date(2026, 3, 8), "SP", True, True),  # a Sunday
        (date(2026, 1, 1), "", True, True),
        (date(2026, 4, 3), "", True, True),  # Good Friday
        (date(2026, 4, 21), "SP", True, True),
        (date(2024, 11, 20), "SP", True, True),  # Zumbi: the country's since 2024
        (date(2023, 11, 20), "PR", False, False),
        (date(2023, 11, 20), "RJ", True, False),  # the state's before
        (date(2026, 2, 16), "SP", False, True),  # carnival's Monday
        (date(2026, 2, 17), "SP", False, True),
        (date(2026, 2, 17), "RJ", True, True),
        (date(2026, 2, 18), "SP", False, False),  # Ash Wednesday: banks open at noon
        (date(2026, 6, 4), "SP", False, True),  # Corpus Christi
        (date(2026, 7, 9), "SP", True, False),  # the state's own
        (date(2026, 7, 9), "RJ", False, False),
        (date(2026, 7, 9), "", False, False),
        (date(2026, 7, 9), "XX", False, False),
        (date(2026, 12, 24), "SP", False, False),  # the exchange rests, banks do not
        (date(2026, 12, 31), "SP", False, True),
        (date(2028, 12, 29), "SP", False, True),  # the last working day of a year that ends on a Sunday
        (date(2028, 12, 28), "SP", False, False),
    ],
)
def test_day_off_by_rule_and_state(day: date, state: str, is_off: bool, is_bank_closed: bool) -> None:
    assert is_day_off(day, WORKING, state) is is_off
    assert is_day_off(day, BANKING, state) is is_bank_closed
    assert not is_day_off(day, NONE, state)


@pytest.mark.parametrize(
    ("day", "rule", "state", "open_day"),
    [
        (date(2026, 2, 14), BANKING, "", date(2026, 2, 18)),  # over carnival
        (date(2026, 2, 14), WORKING, "RJ", date(2026, 2, 16)),
        (date(2026, 4, 3), WORKING, "SP", date(2026, 4, 6)),  # over Easter
        (date(2026, 12, 31), BANKING, "", date(2027, 1, 4)),  # over New Year
        (date(2026, 3, 7), NONE, "SP", date(2026, 3, 7)),
        (date(2026, 3, 10), WORKING, "SP", date(2026, 3, 10)),
    ],
)
def test_next_open_day_is_the_day_itself_or_soon_after(
    day: date, rule: DaysOff, state: str, open_day: date
) -> None:
    assert next_open_day(day, rule, state) == open_day


def test_open_day_before_is_never_the_day_itself() -> None:
    assert open_day_before(date(2026, 2, 18), BANKING, "") == date(2026, 2, 13)
    assert open_day_before(date(2026, 3, 11), WORKING, "SP") == date(2026, 3, 10)


@pytest.mark.parametrize("rule", list(DaysOff))
def test_rows_of_days_off_end_within_a_week_in_every_state(rule: DaysOff) -> None:
    for state in STATES:
        for number in range(365 * 6):
            day = date(2024, 1, 1) + timedelta(number)
            open_day = next_open_day(day, rule, state)
            assert day <= open_day < day + timedelta(7)
            assert not is_day_off(open_day, rule, state)


def test_days_off_are_known_to_the_end_of_the_calendar() -> None:
    for day in (date.min, date(1500, 4, 22), date(2500, 1, 1), date.max):
        for rule in DaysOff:
            assert next_open_day(day, rule, "SP") >= day
