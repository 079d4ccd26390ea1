"""What holds of all occasions, whatever the rules."""

from datetime import date, datetime, time, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from apps.billing.dates.days_off import is_day_off
from apps.billing.dates.moments import Bill, Clock, Rule, next_at, occasions
from apps.billing.models import Anchor, DaysOff, Unit
from tests.billing.dates.examples import LONG_AGO, NEVER, PLACES, found, moments, rule


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    every = draw(st.none() | st.integers(1, 40))
    offset = draw(st.integers(-60, 60))
    until = None if every is None else offset + draw(st.integers(-5, 200))
    return rule(draw(st.sampled_from(Anchor)), offset, draw(st.sampled_from(Unit)), every, until)


BILLS = st.builds(Bill, st.dates(date(2015, 1, 1), date(2028, 12, 31)), st.none() | moments())
HOURS = st.times() | st.sampled_from([time(0), time(0, 30), time(2, 30), time(23, 30)])
CLOCKS = st.builds(Clock, st.sampled_from(PLACES), HOURS, st.sampled_from(DaysOff))
RULES = st.lists(rules(), max_size=5)


@settings(max_examples=80, deadline=None)
@given(RULES, BILLS, CLOCKS)
def test_occasions_are_sorted_unlike_each_other_and_on_open_days(
    asked: list[Rule], bill: Bill, clock: Clock
) -> None:
    every = found(asked, bill, clock)
    assert every == sorted(every, key=lambda occasion: (occasion.at, occasion.nominal, occasion.rule_id))
    assert len({(occasion.rule_id, occasion.nominal) for occasion in every}) == len(every)
    for occasion in every:
        day = clock.place.day(occasion.at)
        assert day >= clock.place.day(occasion.nominal)
        assert occasion.at >= occasion.nominal
        assert not is_day_off(day, clock.days_off, clock.place.state)


@settings(max_examples=120, deadline=None)
@given(RULES, BILLS, CLOCKS, st.data())
def test_next_is_the_earliest_of_the_occasions(
    asked: list[Rule], bill: Bill, clock: Clock, data: st.DataObject
) -> None:
    every = [occasion.at for occasion in found(asked, bill, clock)]
    # About the occasions, where it is hard, or anywhere.
    near = st.sampled_from(every) if every else moments()
    after = data.draw(near | moments()) + data.draw(
        st.sampled_from([timedelta(0), timedelta.resolution, -timedelta(hours=7)])
    )
    assert next_at(asked, bill, clock, after) == min((at for at in every if at > after), default=None)


@settings(max_examples=80, deadline=None)
@given(RULES, BILLS, CLOCKS, moments(), st.timedeltas(timedelta(0), timedelta(90)))
def test_occasions_of_a_while_are_part_of_all(
    asked: list[Rule], bill: Bill, clock: Clock, after: datetime, length: timedelta
) -> None:
    until = after + length
    every = occasions(asked, bill, clock, LONG_AGO, NEVER)
    assert occasions(asked, bill, clock, after, until) == [o for o in every if after < o.at <= until]


@settings(max_examples=50, deadline=None)
@given(RULES, BILLS, CLOCKS)
def test_walking_from_one_to_the_next_passes_all(asked: list[Rule], bill: Bill, clock: Clock) -> None:
    walked = []
    at = next_at(asked, bill, clock, LONG_AGO)
    while at is not None:
        walked.append(at)
        at = next_at(asked, bill, clock, at)
    assert walked == sorted({occasion.at for occasion in found(asked, bill, clock)})
