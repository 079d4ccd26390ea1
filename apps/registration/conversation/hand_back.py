"""A person of the team gives a conversation back, and it goes on where it stopped."""

from django.db import transaction
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import NotFound

from apps.accounts import audit
from apps.accounts.principal import Principal
from apps.core import clock
from apps.core.api.problems import Conflict
from apps.messaging import labels
from apps.registration.conversation import advance, memory
from apps.registration.conversation.claim import hold
from apps.registration.conversation.heard import HANDED_BACK, as_text
from apps.registration.conversation.prepare import definition_of
from apps.registration.conversation.settle import NotSaid, Settled, follow, write
from apps.registration.conversation.state import State, Step
from apps.registration.conversation.team import label_name
from apps.registration.models import Registration, Turn
from apps.registration.models import RegistrationState as Phase


class NotHandedOver(Conflict):
    default_code = "not_handed_over"
    default_detail = _("No person has this registration, so there is nothing to hand back.")


class CannotAsk(Conflict):
    default_code = "cannot_ask"
    default_detail = _("The person cannot be written to at this moment, so nothing can be asked. Try again later.")


class HasEnded(Conflict):
    default_code = "has_ended"
    default_detail = _("This registration has ended.")


@transaction.atomic
def hand_back(principal: Principal, registration: Registration) -> Registration:
    held = _locked(principal, registration)
    if held.state != Phase.WITH_PERSON:
        raise NotHandedOver
    definition = definition_of(held.version)
    state = memory.recall([held], {held.version_id: definition})[held.id]
    settled = Settled()
    held.turns += 1
    follow(settled, held, definition, advance.advance(definition, state, HANDED_BACK))
    settled.turns.append(
        Turn(
            organization=principal.organization,
            registration=held,
            number=held.turns,
            heard=as_text(HANDED_BACK),
            at=clock.now(),
        )
    )
    settled.changed.append(held)
    try:
        write(settled)
    except NotSaid as refused:
        raise CannotAsk from refused
    labels.unmark(principal.organization, [held.conversation_id], label_name())
    _record(principal, "handed_back", held)
    return held


@transaction.atomic
def cancel(principal: Principal, registration: Registration) -> Registration:
    """Ended by the team; the person is told nothing."""
    held = _locked(principal, registration)
    if not held.is_running:
        raise HasEnded
    settled = Settled()
    follow(settled, held, definition_of(held.version), Step(State(Phase.CANCELLED)))
    settled.changed.append(held)
    write(settled)
    labels.unmark(principal.organization, [held.conversation_id], label_name())
    _record(principal, "cancelled", held)
    return held


def _locked(principal: Principal, registration: Registration) -> Registration:
    hold([registration.conversation_id])
    rows = Registration.objects.for_organization(principal.organization).filter(pk=registration.pk)
    found = rows.select_related("flow", "version").select_for_update(no_key=True, of=("self",)).first()
    if found is None:
        raise NotFound
    return found


def _record(principal: Principal, verb: str, registration: Registration) -> None:
    audit.record(
        principal.actor, f"registration.{verb}", registration, organization=principal.organization, changes={}
    )
