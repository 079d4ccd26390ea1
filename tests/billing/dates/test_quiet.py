"""In which hours reminders may go."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.billing.dates.area_codes import STATES
from apps.billing.dates.places import Place
from apps.billing.dates.quiet import DEFAULTS, BadQuietHours, read
from apps.channels.registry import NAMES
from tests.billing.dates.examples import ACRE, NEW_YORK, NUUK, PLACES, RIO, SAO_PAULO, local, moments

ALL_DAY = ["00:00", "24:00"]


def entry(channel: str = "*", state: str = "*", **days: object) -> dict[str, object]:
    return {"channel": channel, "state": state, "weekdays": None, "saturday": None, "sunday": None} | days


def allowed(document: object, place: Place, day: date, hour: time, connector: str = "sms") -> str | None:
    moment = datetime.combine(day, hour, place.zone)
    at = read(document).allowed_from(moment, place, connector)
    assert at is None or at.tzinfo is UTC
    return None if at is None else local(place, at)[:16]


MONDAY, FRIDAY, SATURDAY, SUNDAY = date(2026, 3, 9), date(2026, 3, 13), date(2026, 3, 14), date(2026, 3, 15)


@pytest.mark.parametrize(
    ("place", "day", "hour", "connector", "expected"),
    [
        (SAO_PAULO, MONDAY, time(8), "sms", "2026-03-09 08:00"),
        (SAO_PAULO, MONDAY, time(7, 59), "sms", "2026-03-09 08:00"),
        (SAO_PAULO, MONDAY, time(19, 59), "sms", "2026-03-09 19:59"),
        (SAO_PAULO, MONDAY, time(20), "sms", "2026-03-10 08:00"),
        (ACRE, MONDAY, time(20), "sms", "2026-03-10 08:00"),
        (SAO_PAULO, FRIDAY, time(21), "sms", "2026-03-14 08:00"),
        (SAO_PAULO, SATURDAY, time(13), "sms", "2026-03-14 13:00"),
        (SAO_PAULO, SATURDAY, time(14), "sms", "2026-03-16 08:00"),
        (SAO_PAULO, SUNDAY, time(12), "whatsapp_cloud", "2026-03-16 08:00"),
        (SAO_PAULO, SUNDAY, time(12), "email", "2026-03-15 12:00"),
        (SAO_PAULO, SUNDAY, time(7), "email", "2026-03-15 08:00"),
        (SAO_PAULO, MONDAY, time(21, 30), "email", "2026-03-09 21:30"),
        # Good Friday, then a Saturday.
        (SAO_PAULO, date(2026, 4, 3), time(12), "sms", "2026-04-04 08:00"),
        # Saint George is a holiday in Rio alone.
        (RIO, date(2026, 4, 23), time(12), "sms", "2026-04-24 08:00"),
        (SAO_PAULO, date(2026, 4, 23), time(12), "sms", "2026-04-23 12:00"),
    ],
)
def test_usual_hours_are_kept_by_the_customers_clock(
    place: Place, day: date, hour: time, connector: str, expected: str
) -> None:
    assert allowed([], place, day, hour, connector) == expected
    assert allowed(DEFAULTS, place, day, hour, connector) == expected


def test_most_specific_entry_wins() -> None:
    document = [
        entry(weekdays=["09:00", "10:00"]),
        entry(state="SP", weekdays=["10:00", "11:00"]),
        entry("sms", weekdays=["11:00", "12:00"]),
        entry("sms", "SP", weekdays=["12:00", "13:00"]),
    ]
    for place, connector, hour in (
        (SAO_PAULO, "sms", "12"), (RIO, "sms", "11"), (SAO_PAULO, "email", "10"), (RIO, "email", "09"),
    ):  # fmt: skip
        for turned in (document, document[::-1]):
            assert allowed(turned, place, MONDAY, time(0), connector) == f"2026-03-09 {hour}:00"
    # Of a channel's and a state's, the channel's.
    assert allowed(document[:3], SAO_PAULO, MONDAY, time(0)) == "2026-03-09 11:00"


def test_usual_hours_hold_where_no_entry_fits() -> None:
    document = [entry("email", weekdays=ALL_DAY)]
    assert allowed(document, SAO_PAULO, MONDAY, time(3), "email") == "2026-03-09 03:00"
    assert allowed(document, SAO_PAULO, MONDAY, time(3), "sms") == "2026-03-09 08:00"


def test_entry_of_a_state_keeps_off_its_people_alone() -> None:
    document = [entry(state="RJ")]
    assert allowed(document, RIO, MONDAY, time(12)) is None
    assert allowed(document, SAO_PAULO, MONDAY, time(12)) == "2026-03-09 12:00"
    assert allowed(document, NEW_YORK, MONDAY, time(12)) == "2026-03-09 12:00"


def test_only_sundays_are_waited_for() -> None:
    assert allowed([entry(sunday=["10:00", "11:00"])], SAO_PAULO, MONDAY, time(12)) == "2026-03-15 10:00"


def test_whole_day_ends_with_it() -> None:
    document = [entry(weekdays=ALL_DAY)]
    assert allowed(document, SAO_PAULO, FRIDAY, time(23, 59, 59)) == "2026-03-13 23:59"
    assert allowed(document, SAO_PAULO, SATURDAY, time(0)) == "2026-03-16 00:00"


@pytest.mark.parametrize(
    ("place", "day", "window", "expected"),
    [
        # No such hour that night.
        (NEW_YORK, date(2026, 3, 8), ["02:00", "03:00"], "2026-03-15 02:00"),
        (NEW_YORK, date(2026, 3, 8), ["02:30", "04:00"], "2026-03-08 03:30"),
        (SAO_PAULO, date(2018, 11, 4), ["00:00", "06:00"], "2018-11-04 01:00"),
        (NEW_YORK, date(2026, 11, 1), ["01:30", "04:00"], "2026-11-01 01:30"),
    ],
)
def test_hours_hold_where_clocks_are_changed(place: Place, day: date, window: list[str], expected: str) -> None:
    before = place.moment(day - timedelta(days=1), time(12))
    at = read([entry(sunday=window)]).allowed_from(before, place, "sms")
    assert at is not None
    assert local(place, at)[:16] == expected


def test_second_of_two_equal_hours_is_not_sent_back_to_the_first() -> None:
    quiet = read([entry(sunday=["01:30", "04:00"])])
    second = datetime(2026, 11, 1, 6, 10, tzinfo=UTC)
    assert local(NEW_YORK, second) == "2026-11-01 01:10 -0500"
    assert quiet.allowed_from(second, NEW_YORK, "sms") == second


@pytest.mark.parametrize(
    ("document", "field"),
    [
        (None, "quiet_hours"),
        ({}, "quiet_hours"),
        ("[]", "quiet_hours"),
        (["08:00"], "quiet_hours/0"),
        ([entry(), entry()], "quiet_hours/1"),
        ([entry(), entry("sms"), entry("sms")], "quiet_hours/2"),
        ([entry("fax")], "quiet_hours/0/channel"),
        ([entry() | {"channel": ["sms"]}], "quiet_hours/0/channel"),
        ([entry(state="sp")], "quiet_hours/0/state"),
        ([entry(state="")], "quiet_hours/0/state"),
        ([entry() | {"state": None}], "quiet_hours/0/state"),
        ([entry(holidays=None)], "quiet_hours/0/holidays"),
        ([entry() | {7: 1}], "quiet_hours/0/7"),
        ([{"channel": "*", "state": "*", "weekdays": None, "saturday": None}], "quiet_hours/0/sunday"),
        ([entry(weekdays="08:00-20:00")], "quiet_hours/0/weekdays"),
        ([entry(weekdays=[])], "quiet_hours/0/weekdays"),
        ([entry(weekdays=["08:00"])], "quiet_hours/0/weekdays"),
        ([entry(weekdays=["08:00", "12:00", "14:00"])], "quiet_hours/0/weekdays"),
        ([entry(weekdays=["8:00", "20:00"])], "quiet_hours/0/weekdays"),
        ([entry(weekdays=[8, 20])], "quiet_hours/0/weekdays"),
        ([entry(saturday=["08:00", "24:01"])], "quiet_hours/0/saturday"),
        ([entry(saturday=["08:00", "20:60"])], "quiet_hours/0/saturday"),
        ([entry(saturday=["08:00", "20:00\n"])], "quiet_hours/0/saturday"),
        ([entry(saturday=["٠٨:٠٠", "20:00"])], "quiet_hours/0/saturday"),
        ([entry(sunday=["20:00", "08:00"])], "quiet_hours/0/sunday"),
        ([entry(sunday=["08:00", "08:00"])], "quiet_hours/0/sunday"),
        ([entry(sunday=["24:00", "24:00"])], "quiet_hours/0/sunday"),
    ],
)
def test_bad_document_is_refused_by_field_with_what_to_do(document: object, field: str) -> None:
    with pytest.raises(BadQuietHours) as raised:
        read(document)
    assert raised.value.field == field
    assert raised.value.detail.endswith(".")


def test_entry_without_channel_and_state_is_for_all() -> None:
    document = [{"weekdays": ["10:00", "11:00"], "saturday": None, "sunday": None}]
    assert allowed(document, SAO_PAULO, MONDAY, time(0)) == "2026-03-09 10:00"


@st.composite
def windows(draw: st.DrawFn) -> list[str] | None:
    hours = st.integers(0, 24 * 4)
    begins, ends = sorted(draw(st.lists(hours, min_size=2, max_size=2, unique=True)))
    return draw(
        st.sampled_from([None, [f"{quarter // 4:02}:{quarter % 4 * 15:02}" for quarter in (begins, ends)]])
    )


ENTRIES = st.fixed_dictionaries({
    "channel": st.sampled_from(["*", *NAMES]),
    "state": st.sampled_from(["*", *sorted(STATES)]),
    "weekdays": windows(),
    "saturday": windows(),
    "sunday": windows(),
})  # fmt: skip
DOCUMENTS = st.lists(ENTRIES, max_size=6, unique_by=lambda entry: (entry["channel"], entry["state"]))


@settings(max_examples=120, deadline=None)
@given(DOCUMENTS, moments(), st.sampled_from(PLACES), st.sampled_from(NAMES))
def test_allowed_moment_is_never_earlier_and_is_itself_allowed(
    document: list[dict[str, object]], moment: datetime, place: Place, connector: str
) -> None:
    quiet = read(document)
    at = quiet.allowed_from(moment, place, connector)
    if at is not None:
        assert moment <= at < moment + timedelta(days=62)
        assert quiet.allowed_from(at, place, connector) == at


@settings(max_examples=80, deadline=None)
@given(moments(), st.sampled_from([SAO_PAULO, RIO, ACRE, NEW_YORK, NUUK]))
def test_nobody_is_reminded_at_night_by_default(moment: datetime, place: Place) -> None:
    at = read([]).allowed_from(moment, place, "sms")
    assert at is not None
    there = at.astimezone(place.zone)
    assert time(8) <= there.time() < time(20)
    assert there.weekday() < 6
