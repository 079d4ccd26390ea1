"""When an invoice asks for a reminder: pure functions of its dates, the rules and the customer's clock."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from apps.billing.dates.days_off import next_open_day, open_day_before
from apps.billing.dates.places import Place
from apps.billing.models import Anchor, DaysOff, Unit

MOST_REPEATS = 400
_DAY, _HOUR = timedelta(days=1), timedelta(hours=1)
_MIDNIGHT = time()
# A year from where calendars end, so that zones and days off never lead out of them.
_FIRST, _LAST = datetime(2, 1, 1, tzinfo=UTC), datetime(9998, 12, 31, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Rule:
    id: UUID
    anchor: Anchor
    # Before it, where negative.
    offset: int
    unit: Unit
    # In the same unit, up to that offset.
    repeat_every: int | None = None
    repeat_until: int | None = None


@dataclass(frozen=True, slots=True)
class Bill:
    due_on: date
    paid_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Clock:
    """The customer's place, and the policy's choices about it."""

    place: Place
    send_at: time
    days_off: DaysOff


@dataclass(frozen=True, slots=True)
class Occasion:
    rule_id: UUID
    # What the rule says, which names the occasion forever; days off may change their mind.
    nominal: datetime
    # When it is for sending, after days off.
    at: datetime


def occasions(rules: Iterable[Rule], bill: Bill, clock: Clock, after: datetime, until: datetime) -> list[Occasion]:
    """All of them with after < at <= until, by time."""
    first, last = _earliest(after, clock), _within_calendar(until)
    found = {
        Occasion(rule.id, nominal, at)
        for rule in rules
        for nominal in _nominals(rule, bill, clock, first, last)
        if after < (at := _moved(nominal, rule, clock)) <= until
    }
    return sorted(found, key=lambda occasion: (occasion.at, occasion.nominal, occasion.rule_id))


def next_at(rules: Iterable[Rule], bill: Bill, clock: Clock, after: datetime) -> datetime | None:
    """The earliest of all that come later."""
    first = _earliest(after, clock)
    earliest: datetime | None = None
    for rule in rules:
        for nominal in _nominals(rule, bill, clock, first, _LAST):
            # Days off only ever postpone.
            if earliest is not None and nominal >= earliest:
                break
            at = _moved(nominal, rule, clock)
            if at > after and (earliest is None or at < earliest):
                earliest = at
    return earliest


def _earliest(after: datetime, clock: Clock) -> date:
    """The first day whose occasions can come after it: those of earlier days were moved to this one at most."""
    yesterday = clock.place.day(_within_calendar(after)) - _DAY
    return open_day_before(yesterday, clock.days_off, clock.place.state)


def _nominals(rule: Rule, bill: Bill, clock: Clock, first: date, last: datetime) -> Iterator[datetime]:
    """From that day on, in order."""
    day = _anchor_day(rule, bill, clock.place)
    if day is None or not _FIRST.date() < day < _LAST.date():
        return
    place, offsets = clock.place, _offsets(rule)
    if rule.unit == Unit.DAYS:
        anchor = day.toordinal()
        # A day more, as the one at that place may be ahead of UTC.
        for offset in _part(offsets, first.toordinal() - anchor, last.toordinal() + 1 - anchor):
            yield place.moment(date.fromordinal(anchor + offset), clock.send_at)
        return
    start = _start(rule, bill, place, day)
    for offset in _part(offsets, -((start - place.moment(first, _MIDNIGHT)) // _HOUR), (last - start) // _HOUR):
        yield start + offset * _HOUR


def _anchor_day(rule: Rule, bill: Bill, place: Place) -> date | None:
    """None where the rule has nothing to count from. A paid bill has no more to ask, only to thank for."""
    if rule.anchor == Anchor.PAID:
        if bill.paid_at is None or not _FIRST < bill.paid_at < _LAST:
            return None
        return place.day(bill.paid_at)
    if bill.paid_at is not None:
        return None
    if rule.anchor == Anchor.OVERDUE:
        return next_open_day(bill.due_on, DaysOff.BANKING, place.state)
    return bill.due_on


def _start(rule: Rule, bill: Bill, place: Place, day: date) -> datetime:
    """From when hours are counted."""
    if bill.paid_at is not None:
        return bill.paid_at.astimezone(UTC)
    return place.moment(day + _DAY if rule.anchor == Anchor.OVERDUE else day, _MIDNIGHT)


def _offsets(rule: Rule) -> range:
    if not rule.repeat_every or rule.repeat_until is None:
        return range(rule.offset, rule.offset + 1)
    end = max(rule.offset, rule.repeat_until) + 1
    return range(rule.offset, end, rule.repeat_every)[: MOST_REPEATS + 1]


def _part(offsets: range, lowest: int, highest: int) -> range:
    """Those between, both ends included."""
    first = -((offsets.start - lowest) // offsets.step)
    end = (highest - offsets.start) // offsets.step + 1
    return offsets[max(first, 0) : max(end, 0)]


def _moved(nominal: datetime, rule: Rule, clock: Clock) -> datetime:
    """To the next day that is none off, at the same time of day."""
    if clock.days_off == DaysOff.NONE:
        return nominal
    local = nominal.astimezone(clock.place.zone)
    day = local.date()
    open_day = next_open_day(day, clock.days_off, clock.place.state)
    if open_day == day:
        return nominal
    return clock.place.moment(open_day, clock.send_at if rule.unit == Unit.DAYS else local.time())


def _within_calendar(moment: datetime) -> datetime:
    return min(max(moment, _FIRST), _LAST).astimezone(UTC)
