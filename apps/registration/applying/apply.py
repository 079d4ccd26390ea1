"""A confirmed registration goes to the vault; and the organization's own account API is told of it.

All in one transaction, which holds the registration's row: whoever dies in it has done nothing, whoever comes
second finds it done. The call itself is an ordinary message over a webhook account, with the engine's retries and
dead letters. No personal data is in it: its words are read from the vault just before it leaves (tell.py).
"""

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

import orjson
import structlog
from django.db import transaction

from apps.accounts.principal import SYSTEM
from apps.core import clock, errands
from apps.messaging.engine.accept import accept
from apps.messaging.engine.new_message import NewMessage, Refused
from apps.messaging.statuses import Category
from apps.registration.applying.tell import GUARD
from apps.registration.conversation.prepare import definition_of
from apps.registration.kinds import Kind
from apps.registration.models import Registration, RegistrationState
from apps.registration.vault import people

logger = structlog.get_logger(__name__)

TASK = "registration.apply"
REASON = "the person confirmed a registration"
# What a dead letter or a timeline shows of the call.
WORDS = "registration.completed"
AT_ONCE = 200
# Rung for by whoever confirmed it; the sweep takes it as lost then.
UNANSWERED = timedelta(minutes=1)
# The organization's own API, where the call could not be accepted.
TOLD_AGAIN = timedelta(minutes=15)
TOLD_WITHIN = timedelta(days=7)


@transaction.atomic
def apply(registration_id: UUID) -> bool:
    """False where it was done before, or there is nothing to do."""
    rows = Registration.across_organizations.filter(
        pk=registration_id, state=RegistrationState.COMPLETED, applied_at=None
    )
    held = rows.select_related("flow", "version", "organization").select_for_update(no_key=True, of=("self",))
    registration = held.first()
    if registration is None:
        return False
    now, keep_days = clock.now(), registration.flow.keep_days
    registration.person_id = people.write(
        registration.organization,
        contact_id=registration.contact_id,
        values=_values(registration),
        actor=SYSTEM,
        reason=REASON,
        once=registration.id,
        keep_until=now + timedelta(days=keep_days) if keep_days else None,
    )
    registration.applied_at, registration.confirmed = now, ""
    _tell(registration)
    registration.save(update_fields=["person_id", "applied_at", "confirmed", "tell_at"])
    return True


@transaction.atomic
def tell_late() -> int:
    """By the sweep: those whose call was refused, as an account has its quota for a day."""
    now = clock.now()
    waiting = Registration.across_organizations.filter(tell_at__lte=now).order_by("tell_at")
    held = waiting.select_related("flow", "organization").defer("opening", "confirmed")
    found = list(held.select_for_update(skip_locked=True, no_key=True, of=("self",))[:AT_ONCE])
    for registration in found:
        _tell(registration)
    Registration.across_organizations.bulk_update(found, ["tell_at"])
    return len(found)


def ring_forgotten() -> int:
    """By the sweep."""
    waiting = Registration.across_organizations.filter(
        state=RegistrationState.COMPLETED, applied_at=None, changed_at__lt=clock.now() - UNANSWERED
    ).order_by("changed_at")
    found = list(waiting.values_list("pk", flat=True)[:AT_ONCE])
    for registration_id in found:
        errands.start(TASK, registration_id)
    return len(found)


def _values(registration: Registration) -> Mapping[str, tuple[Kind, str]]:
    definition = definition_of(registration.version)
    confirmed = orjson.loads(registration.confirmed)
    return {
        question.key: (question.kind, confirmed[question.key])
        for question in definition.questions
        if question.key in confirmed
    }


def _tell(registration: Registration) -> None:
    """Accepted, or tried again for some days."""
    flow, registration.tell_at = registration.flow, None
    if not flow.told_by:
        return
    message = NewMessage(
        WORDS,
        account_id=flow.told_by,
        to=flow.told_at,
        category=Category.SERVICE,
        metadata={"registration_id": str(registration.id)},
        guard=GUARD,
        guard_key=registration.id,
    )
    (answer,) = accept(registration.organization, [message])
    if isinstance(answer, Refused):
        now, applied_at = clock.now(), registration.applied_at or clock.now()
        is_over = now - applied_at > TOLD_WITHIN
        registration.tell_at = None if is_over else now + TOLD_AGAIN
        logger.error(
            "registration_not_told",
            registration_id=str(registration.id),
            code=answer.code,
            is_tried_again=not is_over,
        )
