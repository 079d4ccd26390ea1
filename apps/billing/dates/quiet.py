"""In which hours reminders may go: what a policy says, and what holds where it says nothing."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from django.utils.translation import gettext as _

from apps.billing.dates.area_codes import STATES
from apps.billing.dates.days_off import is_holiday
from apps.billing.dates.places import Place
from apps.channels.registry import NAMES

ANY = "*"
# Sundays are holidays too, and the other way round.
DAYS = ("weekdays", "saturday", "sunday")
_KEYS = ("channel", "state", *DAYS)
# A reminder that finds no hour for so long has none.
_FURTHEST_DAYS = 60
_DAY = timedelta(days=1)
_SATURDAY, _SUNDAY = 5, 6
_FIELD = "quiet_hours"
_HOUR = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]|24:00")
_END_OF_DAY = "24:00"

# What Brazilians expect of whoever they owe: that nobody calls at night or on Sundays. An e-mail wakes nobody.
DEFAULTS: Final[list[dict[str, str | list[str] | None]]] = [
    {"channel": ANY, "state": ANY, "weekdays": ["08:00", "20:00"], "saturday": ["08:00", "14:00"], "sunday": None},
    {
        "channel": "email",
        "state": ANY,
        "weekdays": ["07:00", "22:00"],
        "saturday": ["07:00", "22:00"],
        "sunday": ["08:00", "20:00"],
    },
]


class BadQuietHours(ValueError):
    """What a person can change; the field is a path, such as quiet_hours/0/saturday."""

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(f"{field}: {detail}")
        self.field = field
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Window:
    begins: time
    # None: with the day.
    ends: time | None


@dataclass(frozen=True, slots=True)
class Week:
    """None on days without an hour."""

    weekdays: Window | None
    saturday: Window | None
    sunday: Window | None

    def window(self, day: date, state: str) -> Window | None:
        weekday = day.weekday()
        if weekday == _SUNDAY or is_holiday(day, state):
            return self.sunday
        return self.saturday if weekday == _SATURDAY else self.weekdays


_Weeks = Mapping[tuple[str, str], Week]


@dataclass(frozen=True, slots=True)
class QuietHours:
    # By channel and state.
    weeks: _Weeks

    def allowed_from(self, moment: datetime, place: Place, connector: str) -> datetime | None:
        """The moment itself, or the next at which it may go. None where none comes soon."""
        moment = moment.astimezone(UTC)
        week = self._week(connector, place.state)
        today = place.day(moment)
        for day in (today + ahead * _DAY for ahead in range(_FURTHEST_DAYS + 1)):
            window = week.window(day, place.state)
            if window is None:
                continue
            begins, ends = place.moment(day, window.begins), _end(window, day, place)
            # Where clocks are put forward over all of it, it is empty.
            if max(moment, begins) < ends:
                return max(moment, begins)
        return None

    def _week(self, connector: str, state: str) -> Week:
        """The most specific one. Whom none of the policy's own fits, the defaults protect."""
        keys = ((connector, state), (connector, ANY), (ANY, state), (ANY, ANY))
        return next(weeks[key] for weeks in (self.weeks, _DEFAULT_WEEKS) for key in keys if key in weeks)


def read(document: object) -> QuietHours:
    """As a policy stores it; an empty list stands for the defaults."""
    if not isinstance(document, list):
        raise BadQuietHours(_FIELD, _("Give a list of entries, or an empty one for the usual hours."))
    return QuietHours(_weeks(document))


def _weeks(document: list[object]) -> _Weeks:
    weeks: dict[tuple[str, str], Week] = {}
    for number, entry in enumerate(document):
        field = f"{_FIELD}/{number}"
        if not isinstance(entry, dict):
            detail = _("Give an entry with %(known)s.") % {"known": ", ".join(_KEYS)}
            raise BadQuietHours(field, detail)
        for name in entry.keys() - set(_KEYS):
            detail = _("Leave this out, an entry has: %(known)s.") % {"known": ", ".join(_KEYS)}
            raise BadQuietHours(f"{field}/{name}", detail)
        key = _channel(entry, field), _state(entry, field)
        if key in weeks:
            detail = _("Leave one out: an entry before is for the same channel and state.")
            raise BadQuietHours(field, detail)
        weekdays, saturday, sunday = (_window(entry, field, name) for name in DAYS)
        weeks[key] = Week(weekdays, saturday, sunday)
    return weeks


def _channel(entry: Mapping[str, object], field: str) -> str:
    channel = entry.get("channel", ANY)
    if isinstance(channel, str) and (channel == ANY or channel in NAMES):
        return channel
    detail = _("Name one of %(known)s, or * for all.") % {"known": ", ".join(NAMES)}
    raise BadQuietHours(f"{field}/channel", detail)


def _state(entry: Mapping[str, object], field: str) -> str:
    state = entry.get("state", ANY)
    if isinstance(state, str) and (state == ANY or state in STATES):
        return state
    raise BadQuietHours(f"{field}/state", _("Name a state by its two capital letters, such as SP, or * for all."))


def _window(entry: Mapping[str, object], field: str, name: str) -> Window | None:
    path = f"{field}/{name}"
    if name not in entry:
        raise BadQuietHours(path, _("Say from when to when, or null for never."))
    hours = entry[name]
    if hours is None:
        return None
    if not isinstance(hours, list) or len(hours) != 2:
        raise BadQuietHours(path, _('Give two hours, such as ["08:00", "20:00"], or null for never.'))
    for hour in hours:
        if not isinstance(hour, str) or not _HOUR.fullmatch(hour):
            raise BadQuietHours(path, _("Write hours as 08:00, from 00:00 to 24:00."))
    begins, ends = hours
    if begins >= ends:
        raise BadQuietHours(path, _("Give an end after the beginning, on the same day."))
    return Window(time.fromisoformat(begins), None if ends == _END_OF_DAY else time.fromisoformat(ends))


def _end(window: Window, day: date, place: Place) -> datetime:
    if window.ends is None:
        return place.moment(day + _DAY, time())
    return place.moment(day, window.ends)


_DEFAULT_WEEKS = _weeks([*DEFAULTS])
