"""How far people got, as bars: each stage with how many reached it, and how many went no further."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from apps.registration import funnel
from apps.registration.definition import CONSENT, SUMMARY
from apps.registration.funnel import Funnel
from apps.registration.models import RegistrationFlow, RegistrationState

PERIODS = (7, 30, 90)


@dataclass(frozen=True, slots=True)
class Stage:
    label: str
    reached: int
    # Of those who started.
    percent: int
    # Those who ended there.
    dropped: int


def page_of(flow: RegistrationFlow, wanted: str | None) -> dict[str, Any]:
    days = next((each for each in PERIODS if str(each) == wanted), funnel.DAYS)
    found = funnel.of_flow(flow, days)
    asked = {CONSENT, SUMMARY, *(key for key, _label, _reached in found.steps)}
    ended = [
        (RegistrationState.COMPLETED.label, found.completed),
        (_("still answering"), found.running),
        *((RegistrationState(state).label, count) for state, count in found.ended.items()),
    ]
    return {
        "period": days,
        "periods": PERIODS,
        "stages": _stages(found),
        # Of versions from before.
        "dropped_elsewhere": sum(count for place, count in found.dropped.items() if place not in asked),
        "updates": found.updates,
        "ended": [(label, count, _percent(count, found.started)) for label, count in ended if count],
    }


def _stages(found: Funnel) -> list[Stage]:
    """Whoever is gone went no further than the last stage that they reached."""
    stages = [
        (CONSENT, _("Started"), found.started),
        ("", _("Agreed"), found.consented),
        *found.steps,
        (SUMMARY, _("Everything answered"), found.summary),
        ("", _("Completed"), found.completed),
    ]
    return [
        Stage(label, reached, _percent(reached, found.started), found.dropped.get(place, 0))
        for place, label, reached in stages
    ]


def _percent(count: int, of: int) -> int:
    return round(100 * count / of) if of else 0
