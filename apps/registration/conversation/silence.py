"""Nobody answers: the question is asked once more, and then it is closed, politely."""

from datetime import timedelta

from django.db import transaction

from apps.core import clock
from apps.core.deadlocks import tried_again
from apps.registration.conversation import memory
from apps.registration.conversation.prepare import definition_of
from apps.registration.conversation.settle import Settled, follow, hold, write
from apps.registration.conversation.state import Ask, Line, State, Step, Text
from apps.registration.models import Registration
from apps.registration.models import RegistrationState as Phase

AT_ONCE = 200


def look() -> int:
    """Of those whose time has come. Whoever dies here has asked nobody."""
    found = 0
    while count := _look():
        found += count
    return found


@tried_again
@transaction.atomic
def _look() -> int:
    now = clock.now()
    due = Registration.across_organizations.filter(look_at__lte=now)
    hold(due.order_by("look_at").values_list("conversation", flat=True)[:AT_ONCE])
    # As they are now: who was just heard is not silent.
    held = due.select_related("flow", "version").order_by("look_at", "pk")
    registrations = list(held.select_for_update(skip_locked=True, no_key=True, of=("self",))[:AT_ONCE])
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
    return len(registrations)


def _once_more(state: State) -> tuple[Line, ...]:
    still = Text("still_there")
    if state.phase is Phase.CONSENT:
        return (still, Text("consent_ask"))
    return (still, Ask(state.step)) if state.phase is Phase.ASKING else (still, Text("summary"))
