"""Nobody answers: the question is asked once more, and then it is closed, politely."""

from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

import structlog
from django.db import transaction

from apps.core import clock
from apps.core.deadlocks import tried_again
from apps.core.encryption import UnreadableSecret
from apps.registration.conversation import memory
from apps.registration.conversation.claim import hold
from apps.registration.conversation.prepare import definition_of
from apps.registration.conversation.settle import NotSaid, Settled, follow, write
from apps.registration.conversation.state import Ask, Line, State, Step, Text
from apps.registration.conversation.team import set_aside
from apps.registration.models import Registration
from apps.registration.models import RegistrationState as Phase

logger = structlog.get_logger(__name__)

AT_ONCE = 200


def look() -> int:
    """Of those whose time has come. Whoever dies here has asked nobody."""
    found = 0
    while due := _due():
        found += len(due)
        try:
            _look(due)
        except (UnreadableSecret, NotSaid):
            for each in due:
                _look_alone(each)
    return found


def _due() -> list[UUID]:
    due = Registration.across_organizations.filter(look_at__lte=clock.now()).order_by("look_at")
    return list(due.values_list("pk", flat=True)[:AT_ONCE])


def _look_alone(registration_id: UUID) -> None:
    """Whom we cannot read or write to is for a person of the team, and keeps nobody else waiting."""
    try:
        _look([registration_id])
    except (UnreadableSecret, NotSaid) as error:
        logger.warning("silence_not_broken", registration_id=str(registration_id), reason=type(error).__name__)
        _set_aside(registration_id)


@transaction.atomic
def _set_aside(registration_id: UUID) -> None:
    rows = Registration.across_organizations.filter(pk=registration_id)
    hold(rows.values_list("conversation", flat=True))
    set_aside(rows.filter(look_at__lte=clock.now()))


@tried_again
@transaction.atomic
def _look(registration_ids: Collection[UUID]) -> None:
    now = clock.now()
    due = Registration.across_organizations.filter(pk__in=registration_ids, look_at__lte=now)
    hold(due.values_list("conversation", flat=True))
    # As they are now: who was just heard is not silent.
    held = due.select_related("flow", "version").order_by("look_at", "pk")
    registrations = list(held.select_for_update(skip_locked=True, no_key=True, of=("self",)))
    definitions = {each.version_id: definition_of(each.version) for each in registrations}
    states = memory.recall(registrations, definitions)
    settled = Settled()
    for each in registrations:
        state = states[each.id]
        if each.reminded_at is None:
            follow(settled, each, definitions[each.version_id], Step(state, _once_more(state)))
            each.reminded_at, each.look_at = now, now + timedelta(minutes=each.flow.close_after)
        else:
            closed = State(Phase.SILENT, state.step)
            follow(settled, each, definitions[each.version_id], Step(closed, (Text("closed"),)))
        settled.changed.append(each)
    write(settled)


def _once_more(state: State) -> tuple[Line, ...]:
    still = Text("still_there")
    if state.phase is Phase.CONSENT:
        return (still, Text("consent_ask"))
    return (still, Ask(state.step)) if state.phase is Phase.ASKING else (still, Text("summary"))
