"""When an invoice asks for a reminder: examples worked out by hand."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from apps.billing.dates.moments import MOST_REPEATS, Bill, Rule, next_at, occasions
from apps.billing.dates.places import Place
from apps.billing.models import Anchor, DaysOff, Unit
from tests.billing.dates.examples import (
    ACRE,
    LONG_AGO,
    NEVER,
    NEW_YORK,
    NORONHA,
    RIO,
    SAO_PAULO,
    clock,
    days_of,
    found,
    local,
    rule,
)

DUE, OVERDUE, PAID = Anchor.DUE, Anchor.OVERDUE, Anchor.PAID
NONE, WORKING, BANKING = DaysOff.NONE, DaysOff.WORKING, DaysOff.BANKING
DAYS, HOURS = Unit.DAYS, Unit.HOURS
TUESDAY = date(2026, 3, 10)
CARNIVAL_SATURDAY = date(2026, 2, 14)
EASTER_SATURDAY = date(2026, 4, 4)


@pytest.mark.parametrize(
    ("asked", "due_on", "nominal", "working", "banking"),
    [
        (rule(DUE, -10), TUESDAY, "02-28", "03-02", "03-02"),
        (rule(DUE, -3), TUESDAY, "03-07", "03-09", "03-09"),
        (rule(DUE, 0), TUESDAY, "03-10", "03-10", "03-10"),
        (rule(OVERDUE, 1), TUESDAY, "03-11", "03-11", "03-11"),
        (rule(OVERDUE, 5), TUESDAY, "03-15", "03-16", "03-16"),
        (rule(OVERDUE, 10), TUESDAY, "03-20", "03-20", "03-20"),
        # On Ash Wednesday it is still paid in time.
        (rule(DUE, 0), CARNIVAL_SATURDAY, "02-14", "02-16", "02-18"),
        (rule(DUE, 3), CARNIVAL_SATURDAY, "02-17", "02-17", "02-18"),
        (rule(OVERDUE, 0), CARNIVAL_SATURDAY, "02-18", "02-18", "02-18"),
        (rule(OVERDUE, 1), CARNIVAL_SATURDAY, "02-19", "02-19", "02-19"),
        (rule(OVERDUE, -3), CARNIVAL_SATURDAY, "02-15", "02-16", "02-18"),
        (rule(OVERDUE, 1), EASTER_SATURDAY, "04-07", "04-07", "04-07"),
        (rule(DUE, 1), date(2028, 2, 28), "02-29", "02-29", "03-01"),
        (rule(DUE, 1), date(2026, 2, 28), "03-01", "03-02", "03-02"),
        (rule(DUE, -10), date(2028, 3, 10), "02-29", "02-29", "03-01"),
        (rule(OVERDUE, 366), date(2028, 3, 1), "03-02", "03-02", "03-02"),
        (rule(DUE, 0), date(2026, 12, 31), "12-31", "12-31", "01-04"),
    ],
)
def test_day_is_counted_from_its_anchor_and_moved_over_days_off(
    asked: Rule, due_on: date, nominal: str, working: str, banking: str
) -> None:
    assert days_of(asked, due_on, clock()) == [nominal]
    assert days_of(asked, due_on, clock(days_off=WORKING)) == [working]
    assert days_of(asked, due_on, clock(days_off=BANKING)) == [banking]


def test_repeats_come_every_week_up_to_the_sixtieth_day() -> None:
    weekly = rule(OVERDUE, 7, every=7, until=60)
    nominal = ["03-17", "03-24", "03-31", "04-07", "04-14", "04-21", "04-28", "05-05"]
    assert days_of(weekly, TUESDAY, clock()) == nominal
    # Tiradentes.
    assert days_of(weekly, TUESDAY, clock(days_off=WORKING)) == [*nominal[:5], "04-22", *nominal[6:]]


@pytest.mark.parametrize(
    ("every", "until", "days"),
    [
        (5, 10, ["03-10", "03-15", "03-20"]),
        (5, 9, ["03-10", "03-15"]),
        (5, -3, ["03-10"]),
        (None, None, ["03-10"]),
    ],
)
def test_repeats_end_with_the_last_offset(every: int | None, until: int | None, days: list[str]) -> None:
    assert days_of(rule(DUE, 0, every=every, until=until), TUESDAY, clock()) == days


def test_repeats_are_bounded() -> None:
    assert len(days_of(rule(DUE, 0, every=1, until=30_000), TUESDAY, clock())) == MOST_REPEATS + 1


@pytest.mark.parametrize(
    ("place", "send_at", "at"),
    [
        (SAO_PAULO, time(9), "12:00"),
        (ACRE, time(9), "14:00"),
        (NORONHA, time(9), "11:00"),
        (NEW_YORK, time(9), "13:00"),
        (ACRE, time(20, 30), "01:30"),
    ],
)
def test_hour_is_that_of_the_customers_clock(place: Place, send_at: time, at: str) -> None:
    [occasion] = found([rule(DUE, 0)], Bill(TUESDAY), clock(place, send_at=send_at))
    assert f"{occasion.at:%H:%M}" == at
    assert occasion.at.tzinfo is UTC
    assert occasion.at.astimezone(place.zone).date() == TUESDAY


def test_state_holidays_are_the_customers() -> None:
    carnival = rule(DUE, 3)
    assert days_of(carnival, CARNIVAL_SATURDAY, clock(RIO, WORKING)) == ["02-18"]
    assert days_of(carnival, CARNIVAL_SATURDAY, clock(SAO_PAULO, WORKING)) == ["02-17"]


@pytest.mark.parametrize(
    ("asked", "due_on", "place", "days_off", "nominal", "at"),
    [
        (rule(DUE, 0, HOURS), TUESDAY, SAO_PAULO, NONE, "03-10 00:00", "03-10 00:00"),
        (rule(DUE, -12, HOURS), TUESDAY, ACRE, NONE, "03-09 12:00", "03-09 12:00"),
        (rule(OVERDUE, 2, HOURS), TUESDAY, NORONHA, NONE, "03-11 02:00", "03-11 02:00"),
        # In time until Wednesday is over.
        (rule(OVERDUE, 9, HOURS), CARNIVAL_SATURDAY, RIO, NONE, "02-19 09:00", "02-19 09:00"),
        (rule(DUE, 10, HOURS), CARNIVAL_SATURDAY, RIO, WORKING, "02-14 10:00", "02-16 10:00"),
        (rule(DUE, 10, HOURS), CARNIVAL_SATURDAY, RIO, BANKING, "02-14 10:00", "02-18 10:00"),
        # That day began at one o'clock.
        (rule(DUE, 9, HOURS), date(2018, 11, 4), SAO_PAULO, NONE, "11-04 10:00", "11-04 10:00"),
        # A day of 23 hours, and one of 25.
        (rule(DUE, 12, HOURS), date(2026, 3, 8), NEW_YORK, NONE, "03-08 13:00", "03-08 13:00"),
        (rule(DUE, 12, HOURS), date(2026, 11, 1), NEW_YORK, NONE, "11-01 11:00", "11-01 11:00"),
    ],
)
def test_hours_are_counted_from_the_days_beginning_or_end(
    asked: Rule, due_on: date, place: Place, days_off: DaysOff, nominal: str, at: str
) -> None:
    [occasion] = found([asked], Bill(due_on), clock(place, days_off))
    assert [local(place, moment)[5:16] for moment in (occasion.nominal, occasion.at)] == [nominal, at]


@pytest.mark.parametrize(
    ("place", "day", "send_at", "at"),
    [
        (SAO_PAULO, date(2018, 11, 4), time(0), "2018-11-04 01:00 -0200"),
        (SAO_PAULO, date(2019, 2, 16), time(23, 30), "2019-02-16 23:30 -0200"),
        (NEW_YORK, date(2026, 3, 8), time(2, 30), "2026-03-08 03:30 -0400"),
        (NEW_YORK, date(2026, 11, 1), time(1, 30), "2026-11-01 01:30 -0400"),
    ],
)
def test_hour_that_is_left_out_or_comes_twice_is_one_moment(
    place: Place, day: date, send_at: time, at: str
) -> None:
    [occasion] = found([rule(DUE, 0)], Bill(day), clock(place, send_at=send_at))
    assert local(place, occasion.at) == at


def test_moved_occasion_keeps_the_hour_that_was_left_out() -> None:
    [occasion] = found([rule(DUE, 0)], Bill(date(2026, 3, 8)), clock(NEW_YORK, WORKING, time(2, 30)))
    assert local(NEW_YORK, occasion.nominal) == "2026-03-08 03:30 -0400"
    assert local(NEW_YORK, occasion.at) == "2026-03-09 02:30 -0400"


def test_paid_bill_has_only_occasions_of_its_payment() -> None:
    rules = [rule(DUE, 0), rule(OVERDUE, 1), rule(PAID, 0), rule(PAID, 1), rule(PAID, 2, HOURS)]
    # Half past ten at night of the Monday in Acre.
    paid = Bill(TUESDAY, datetime(2026, 3, 10, 3, 30, tzinfo=UTC))
    at = [local(ACRE, occasion.at) for occasion in found(rules, paid, clock(ACRE))]
    assert at == ["2026-03-09 09:00 -0500", "2026-03-10 00:30 -0500", "2026-03-10 09:00 -0500"]
    assert [occasion.rule_id for occasion in found(rules, Bill(TUESDAY), clock(ACRE))] == [
        rules[0].id,
        rules[1].id,
    ]


def test_occasions_are_those_after_and_until() -> None:
    rules, bill = [rule(DUE, 0, every=1, until=3)], Bill(TUESDAY)
    nine = datetime(2026, 3, 11, 12, tzinfo=UTC)
    between = occasions(rules, bill, clock(), nine, nine + timedelta(days=1))
    assert [occasion.at for occasion in between] == [nine + timedelta(days=1)]
    assert next_at(rules, bill, clock(), nine) == nine + timedelta(days=1)
    assert next_at(rules, bill, clock(), nine - timedelta(microseconds=1)) == nine
    assert occasions(rules, bill, clock(), nine, nine) == []


def test_occasion_that_days_off_postponed_is_found_after_its_own_day() -> None:
    saturday, bill = rule(DUE, 0), Bill(CARNIVAL_SATURDAY)
    tuesday_night = datetime(2026, 2, 17, 23, tzinfo=UTC)
    assert next_at([saturday], bill, clock(days_off=BANKING), tuesday_night) == datetime(
        2026, 2, 18, 12, tzinfo=UTC
    )
    assert next_at([saturday], bill, clock(days_off=NONE), tuesday_night) is None


def test_hours_may_overtake_each_other_over_days_off() -> None:
    # Saturday at ten waits until Monday at ten, Sunday at nine until Monday at nine.
    rules = [rule(DUE, 10, HOURS, every=23, until=33)]
    bill, place = Bill(CARNIVAL_SATURDAY), clock(days_off=WORKING)
    first, second = found(rules, bill, place)
    assert first.nominal > second.nominal
    assert (f"{first.at:%d %H}", f"{second.at:%d %H}") == ("16 12", "16 13")
    assert next_at(rules, bill, place, LONG_AGO) == first.at


@pytest.mark.parametrize(
    "due_on", [date.min, date.max, date(1, 6, 1), date(9999, 6, 1), date(9990, 1, 1), date(5, 1, 1)]
)
@pytest.mark.parametrize("unit", list(Unit))
@pytest.mark.parametrize("offset", [-(10**9), -32_767, 0, 32_767, 10**9])
def test_dates_out_of_the_calendar_are_no_occasion(due_on: date, unit: Unit, offset: int) -> None:
    for days_off in DaysOff:
        for anchor in (DUE, OVERDUE):
            rules = [rule(anchor, offset, unit, every=300, until=offset + 30_000)]
            for when in (LONG_AGO, NEVER, datetime(9998, 6, 1, tzinfo=UTC)):
                next_at(rules, Bill(due_on), clock(ACRE, days_off), when)
            at = [occasion.at for occasion in found(rules, Bill(due_on), clock(ACRE, days_off))]
            assert all(date(1, 12, 1) < moment.date() < date(9999, 2, 1) for moment in at)


@pytest.mark.parametrize("paid_at", [LONG_AGO, NEVER])
def test_payments_out_of_the_calendar_are_no_occasion(paid_at: datetime) -> None:
    rules = [rule(PAID, 0), rule(PAID, 1, HOURS)]
    assert found(rules, Bill(TUESDAY, paid_at), clock(ACRE)) == []


def test_next_is_none_after_the_last() -> None:
    rules = [rule(DUE, -3), rule(OVERDUE, 1, every=7, until=60)]
    last = found(rules, Bill(TUESDAY), clock())[-1].at
    assert next_at(rules, Bill(TUESDAY), clock(), last) is None
    assert next_at([], Bill(TUESDAY), clock(), LONG_AGO) is None


def test_rule_given_twice_counts_once() -> None:
    twice = [rule(DUE, 0), rule(DUE, 0)]
    assert len(found(twice, Bill(TUESDAY), clock())) == 1
