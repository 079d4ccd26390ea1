"""Where a customer is: whose clock counts, and whose holidays."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from apps.billing.dates.area_codes import STATES, state_of
from apps.messaging.engine.guard import HOME

# The zones of the states that do not simply follow Brasília. A state with two has the one of its capital.
_ZONES = {
    "AC": "America/Rio_Branco",
    "AL": "America/Maceio",
    "AM": "America/Manaus",
    "AP": "America/Belem",
    "BA": "America/Bahia",
    "CE": "America/Fortaleza",
    "MA": "America/Fortaleza",
    "MS": "America/Campo_Grande",
    "MT": "America/Cuiaba",
    "PA": "America/Belem",
    "PB": "America/Fortaleza",
    "PE": "America/Recife",
    "PI": "America/Fortaleza",
    "RN": "America/Fortaleza",
    "RO": "America/Porto_Velho",
    "RR": "America/Boa_Vista",
    "SE": "America/Maceio",
    "TO": "America/Araguaina",
}
_STATE_ZONES = {state: ZoneInfo(_ZONES[state]) if state in _ZONES else HOME for state in STATES}


@dataclass(frozen=True, slots=True)
class Place:
    zone: ZoneInfo
    # Two letters, or empty where nobody knows, or abroad.
    state: str

    def day(self, moment: datetime) -> date:
        return moment.astimezone(self.zone).date()

    def moment(self, day: date, hour: time) -> datetime:
        """When clocks there show it, in UTC: of two such moments the first.

        An hour left out, as clocks are put forward, is made up for by as much; or taken before, where that
        would be tomorrow already: a day off, maybe.
        """
        return _moment(day, hour, self.zone)


def place_of(time_zone: str, phone: str) -> Place:
    """By what the contact's record says, else by the number."""
    state = state_of(phone)
    return Place(_zone(time_zone) or _STATE_ZONES.get(state, HOME), state)


# Thousands of invoices ask for the same few mornings.
@lru_cache(maxsize=8192)
def _moment(day: date, hour: time, zone: ZoneInfo) -> datetime:
    local = datetime.combine(day, hour, zone).replace(fold=0)
    moment = local.astimezone(UTC)
    if moment.astimezone(zone).date() != day:
        return local.replace(fold=1).astimezone(UTC)
    return moment


@lru_cache(maxsize=1024)
def _zone(name: str) -> ZoneInfo | None:
    """None where there is no such zone; that too is remembered, as each look takes the disk."""
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: the name of a folder, such as America
        return None
