"""Whose clock counts, and what it shows when clocks are changed."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from apps.billing.dates.area_codes import STATES
from apps.billing.dates.places import Place, place_of
from tests.billing.dates.examples import NEW_YORK, NUUK, SAO_PAULO, local


@pytest.mark.parametrize(
    ("phone", "zone", "hours"),
    [
        ("+5568987654321", "America/Rio_Branco", -5),
        ("+5592987654321", "America/Manaus", -4),
        ("+5595987654321", "America/Boa_Vista", -4),
        ("+5569987654321", "America/Porto_Velho", -4),
        ("+5565987654321", "America/Cuiaba", -4),
        ("+5567987654321", "America/Campo_Grande", -4),
        ("+5591987654321", "America/Belem", -3),
        ("+5563987654321", "America/Araguaina", -3),
        ("+5571987654321", "America/Bahia", -3),
        ("+5581987654321", "America/Recife", -3),
        ("+5551987654321", "America/Sao_Paulo", -3),
        ("+12125550123", "America/Sao_Paulo", -3),
        ("", "America/Sao_Paulo", -3),
    ],
)
def test_place_of_a_contact_without_zone_is_that_of_the_number(phone: str, zone: str, hours: int) -> None:
    place = place_of("", phone)
    assert place.zone.key == zone
    offset = datetime(2026, 1, 15, tzinfo=place.zone).utcoffset()
    assert offset is not None
    assert offset.total_seconds() == hours * 3600


def test_place_takes_the_contacts_own_zone_and_the_state_of_the_number() -> None:
    assert place_of("America/Noronha", "+5581987654321") == Place(ZoneInfo("America/Noronha"), "PE")
    assert place_of("Europe/Lisbon", "") == Place(ZoneInfo("Europe/Lisbon"), "")


@pytest.mark.parametrize(
    "name",
    [
        "America",
        "../x",
        "/etc/passwd",
        "Foo/Bar",
        "America/Sao_Paulo\0",
        "a" * 5000,
        "é",
        "\ud800",
        " ",
        ".",
        "zone.tab",
    ],
)
def test_place_of_a_bad_zone_is_that_of_the_number(name: str) -> None:
    assert place_of(name, "+5568987654321") == Place(ZoneInfo("America/Rio_Branco"), "AC")


def test_states_all_have_an_hour_of_brazil() -> None:
    codes = (f"+55{code}987654321" for code in range(11, 100))
    places = [place for place in map(place_of, [""] * 89, codes) if place.state]
    offsets = {place.state: datetime(2026, 1, 15, tzinfo=place.zone).strftime("%z") for place in places}
    assert offsets.keys() == STATES
    others = {state: offset for state, offset in offsets.items() if offset != "-0300"}
    assert others == {
        "AC": "-0500", "AM": "-0400", "MS": "-0400", "MT": "-0400", "RO": "-0400", "RR": "-0400",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("place", "day", "hour", "shown"),
    [
        # There was no midnight on that Sunday.
        (SAO_PAULO, date(2018, 11, 4), time(0), "2018-11-04 01:00 -0200"),
        (SAO_PAULO, date(2018, 11, 4), time(0, 30), "2018-11-04 01:30 -0200"),
        (SAO_PAULO, date(2018, 11, 4), time(1), "2018-11-04 01:00 -0200"),
        # The last hour of that Saturday came twice.
        (SAO_PAULO, date(2019, 2, 16), time(23, 30), "2019-02-16 23:30 -0200"),
        (SAO_PAULO, date(2019, 2, 17), time(0), "2019-02-17 00:00 -0300"),
        (NEW_YORK, date(2026, 3, 8), time(2, 30), "2026-03-08 03:30 -0400"),
        (NEW_YORK, date(2026, 11, 1), time(1, 30), "2026-11-01 01:30 -0400"),
        (NEW_YORK, date(2026, 11, 1), time(1, 40, fold=1), "2026-11-01 01:40 -0400"),
        # Half past eleven would be half past midnight: it is taken before, on that day.
        (NUUK, date(2024, 3, 30), time(23, 30), "2024-03-30 22:30 -0200"),
    ],
)
def test_moment_is_sane_where_clocks_are_changed(place: Place, day: date, hour: time, shown: str) -> None:
    moment = place.moment(day, hour)
    assert local(place, moment) == shown
    assert moment.tzinfo is UTC
