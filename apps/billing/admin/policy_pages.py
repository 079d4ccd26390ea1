"""What the pages about a policy show: days with their counts, as tables, bars and a month."""

from calendar import MONDAY, Calendar
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.utils.translation import get_language, gettext_lazy

from apps.billing import dry_run, results
from apps.billing.dry_run import DryRun
from apps.billing.models import ReminderPolicy
from apps.billing.planner.words import spoken
from apps.billing.results import Day
from apps.channels.registry import connector_class
from apps.core import clock
from apps.messaging.engine.guard import HOME

BAR_HEIGHT = 120
BAR_WIDTH = 20
_PERIODS = (7, 30, 90)
_COUNTED = {
    "touches": gettext_lazy("Messages"),
    "sent": gettext_lazy("Sent"),
    "delivered": gettext_lazy("Delivered"),
    "read": gettext_lazy("Read"),
    "failed": gettext_lazy("Failed"),
    "stopped": gettext_lazy("Stopped"),
    "paid": gettext_lazy("Invoices paid"),
}


@dataclass(frozen=True, slots=True)
class PlannedDay:
    day: date
    # By the name of the channel.
    channels: Mapping[str, int]

    @property
    def messages(self) -> int:
        return sum(self.channels.values())


def planned_days(run: DryRun) -> list[PlannedDay]:
    days: dict[date, dict[str, int]] = defaultdict(dict)
    for (day, connector), count in sorted(run.messages.items()):
        days[day][str(connector_class(connector).label)] = count
    return [PlannedDay(day, channels) for day, channels in days.items()]


def by_channel(run: DryRun) -> dict[str, int]:
    """By their names, as people know them."""
    return {str(connector_class(connector).label): count for connector, count in run.by_channel.items()}


@dataclass(frozen=True, slots=True)
class Bar:
    """Heights are of the chart's own pixels; a bar stands on its ground."""

    day: Day
    x: int
    touches: int
    delivered: int

    @property
    def touches_from(self) -> int:
        return BAR_HEIGHT - self.touches

    @property
    def delivered_from(self) -> int:
        return BAR_HEIGHT - self.delivered


def results_of(policy: ReminderPolicy, wanted: str | None) -> dict[str, Any]:
    days = next((each for each in _PERIODS if str(each) == wanted), results.DAYS)
    found = results.of_policy(policy, days)
    language = get_language() or ""
    return {
        # Newest first, without days on which nothing was.
        "rows": [
            (day.day, [getattr(day, name) for name in _COUNTED])
            for day in reversed(found.days)
            if day.touches or day.paid
        ],
        "period": days,
        "periods": _PERIODS,
        "bars": _bars(found.days),
        "width": days * BAR_WIDTH,
        "height": BAR_HEIGHT,
        "figures": [(label, found.total(name)) for name, label in _COUNTED.items()],
        "result_days": policy.result_days,
        "paid": [spoken(amount, currency, language) for currency, amount in sorted(found.paid_amounts.items())],
    }


def _bars(days: Sequence[Day]) -> list[Bar]:
    most = max((day.touches for day in days), default=0) or 1
    return [
        Bar(day, n * BAR_WIDTH, day.touches * BAR_HEIGHT // most, day.delivered * BAR_HEIGHT // most)
        for n, day in enumerate(days)
    ]


def calendar_of(policy: ReminderPolicy, wanted: str | None) -> dict[str, Any]:
    """A month from this one on, as far as is looked ahead."""
    today = clock.now().astimezone(HOME).date()
    furthest = today + timedelta(days=dry_run.MOST_DAYS)
    month = min(max(_month(wanted) or today.replace(day=1), today.replace(day=1)), furthest.replace(day=1))
    following = (month + timedelta(days=31)).replace(day=1)
    days = min(max((following - today).days, 1), dry_run.MOST_DAYS)
    run = dry_run.of_policy(policy, days)
    planned = {each.day: each for each in planned_days(run)}
    weeks = [
        [(day, planned.get(day) if day.month == month.month else None, day.month == month.month) for day in week]
        for week in Calendar(MONDAY).monthdatescalendar(month.year, month.month)
    ]
    return {
        "month": month,
        "today": today,
        "weeks": weeks,
        "run": run,
        "before": (month - timedelta(days=1)).replace(day=1) if month > today else None,
        "after": following if following <= furthest else None,
    }


def _month(text: str | None) -> date | None:
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        return None
