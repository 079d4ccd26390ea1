"""Rules and clocks of the examples, in few words."""

from datetime import UTC, date, datetime, time
from uuid import UUID, uuid5

from hypothesis import strategies as st

from apps.billing.dates.moments import Bill, Clock, Occasion, Rule, occasions
from apps.billing.dates.places import Place, place_of
from apps.billing.models import Anchor, DaysOff, Unit

SAO_PAULO = place_of("", "+5511987654321")
RIO = place_of("", "+5521987654321")
ACRE = place_of("", "+5568987654321")
NORONHA = place_of("America/Noronha", "+5581987654321")
NEW_YORK = place_of("America/New_York", "+12125550123")
NUUK = place_of("America/Nuuk", "+299321000")
PLACES = [
    SAO_PAULO,
    RIO,
    ACRE,
    NORONHA,
    NEW_YORK,
    NUUK,
    place_of("Australia/Lord_Howe", ""),
    place_of("Asia/Beirut", ""),
]
_NAMES = UUID(int=0)
LONG_AGO, NEVER = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


def rule(
    anchor: Anchor, offset: int, unit: Unit = Unit.DAYS, every: int | None = None, until: int | None = None
) -> Rule:
    """Equal rules have equal ids."""
    return Rule(uuid5(_NAMES, f"{anchor} {offset} {unit} {every} {until}"), anchor, offset, unit, every, until)


def clock(place: Place = SAO_PAULO, days_off: DaysOff = DaysOff.NONE, send_at: time = time(9)) -> Clock:
    return Clock(place, send_at, days_off)


def found(rules: list[Rule], bill: Bill, clock: Clock) -> list[Occasion]:
    return occasions(rules, bill, clock, LONG_AGO, NEVER)


def local(place: Place, moment: datetime) -> str:
    return moment.astimezone(place.zone).strftime("%Y-%m-%d %H:%M %z")


def days_of(rule: Rule, due_on: date, clock: Clock) -> list[str]:
    """Month and day there, once days off are heeded."""
    return [f"{o.at.astimezone(clock.place.zone):%m-%d}" for o in found([rule], Bill(due_on), clock)]


def moments() -> st.SearchStrategy[datetime]:
    """Of years in which clocks in Brazil were changed too."""
    return st.datetimes(datetime(2015, 1, 1), datetime(2028, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
