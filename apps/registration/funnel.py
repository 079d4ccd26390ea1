"""How far people come in a flow, how it ends for them, and where they leave."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Count
from django.utils.translation import get_language

from apps.core import clock
from apps.registration.conversation.prepare import definition_of
from apps.registration.definition import CONSENT, SUMMARY, Definition, Question
from apps.registration.models import Registration, RegistrationFlow, RegistrationState

DAYS = 30
MOST_DAYS = 90
# How it stands with those who have not completed it; whoever talks to a person may still.
OTHERWISE = (
    RegistrationState.DECLINED, RegistrationState.STOPPED, RegistrationState.SILENT, RegistrationState.CANCELLED,
    RegistrationState.WITH_PERSON,
)  # fmt: skip
_ASKED = (RegistrationState.CONSENT, RegistrationState.ASKING, RegistrationState.CONFIRMING)


@dataclass(frozen=True, slots=True)
class Funnel:
    """Of those who registered, or began to, in the period; who corrects what is known is counted apart."""

    started: int
    consented: int
    # The questions of the published version: key, label, and how many came to it.
    steps: list[tuple[str, str, int]]
    summary: int
    completed: int
    # Who is being asked at this moment.
    running: int
    # By state, all of OTHERWISE.
    ended: dict[str, int]
    # By the key of the question, or CONSENT or SUMMARY: only where somebody did.
    dropped: dict[str, int]
    # Corrections of what is known that were completed.
    updates: int


@dataclass(frozen=True, slots=True)
class _Alike:
    """So many registrations that stand, or stopped, at the same place."""

    state: RegistrationState
    place: str
    is_update: bool
    count: int


def of_flow(flow: RegistrationFlow, days: int = DAYS) -> Funnel:
    definition = None if flow.published is None else definition_of(flow.published)
    questions = () if definition is None else definition.questions
    keys = [question.key for question in questions]
    everything = _found(flow, days)
    found = [each for each in everything if not each.is_update]
    completed = sum(each.count for each in found if each.state == RegistrationState.COMPLETED)
    at: Counter[str] = Counter()
    dropped: Counter[str] = Counter()
    for each in found:
        if each.state != RegistrationState.COMPLETED:
            at[each.place] += each.count
            dropped[each.place] += each.count if each.state not in (*_ASKED, RegistrationState.WITH_PERSON) else 0
    summary = completed + at[SUMMARY]
    reached = {key: summary + sum(at[later] for later in keys[n:]) for n, key in enumerate(keys)}
    return Funnel(
        started=sum(each.count for each in found),
        consented=completed + sum(at.values()) - at[CONSENT],
        steps=[(question.key, _label(definition, question), reached[question.key]) for question in questions],
        summary=summary,
        completed=completed,
        running=sum(each.count for each in found if each.state in _ASKED),
        ended={state: sum(each.count for each in found if each.state == state) for state in OTHERWISE},
        dropped={place: dropped[place] for place in _in_order(keys, dropped) if dropped[place]},
        updates=sum(
            each.count for each in everything if each.is_update and each.state == RegistrationState.COMPLETED
        ),
    )


def _found(flow: RegistrationFlow, days: int) -> list[_Alike]:
    since = clock.now() - timedelta(days=days)
    rows = Registration.objects.for_organization(flow.organization).filter(flow=flow, started_at__gte=since)
    alike = rows.values_list("state", "step", "is_update").annotate(count=Count("pk"))
    return [_Alike(RegistrationState(state), place, is_update, count) for state, place, is_update, count in alike]


def _label(definition: Definition | None, question: Question) -> str:
    return "" if definition is None else definition.label(question, definition.language_for(get_language() or ""))


def _in_order(keys: Sequence[str], dropped: Counter[str]) -> list[str]:
    """Also questions that only an earlier version asked."""
    return list(dict.fromkeys([CONSENT, *keys, *(place for place in dropped if place != SUMMARY), SUMMARY]))
