"""What registration knows of a person who is erased: the vault's part of them, and what is left of conversations.

That there were registrations stays, with how they ended; who it was that registered does not.
"""

from collections.abc import Mapping
from contextvars import ContextVar
from functools import partial
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Coalesce
from rest_framework.exceptions import NotFound

from apps.accounts.models import Organization
from apps.accounts.principal import SYSTEM, Actor, Principal
from apps.core import clock
from apps.messaging import erasure
from apps.messaging.erasure import Report
from apps.messaging.models import Contact
from apps.registration.conversation import memory
from apps.registration.conversation.state import State
from apps.registration.models import Registration, RegistrationState, Talk, Turn
from apps.registration.vault import people

NAME = "registration"
AT_ONCE = 200
REASON = "the contact was erased"
_FIRST = UUID(int=0)
# For the vault's log, where it is known who erases a person, and not only their contact.
_asked: ContextVar[tuple[Actor, str]] = ContextVar("erasure_asked", default=(SYSTEM, REASON))


def erase_person(principal: Principal, person_id: UUID, reason: str) -> Report:
    """In all apps. The vault comes late: whoever stops half-way can begin again with the same person."""
    organization = principal.organization
    found = people.overview(organization, person_ids=[person_id])
    if not found:
        raise NotFound
    contacts = Contact.objects.for_organization(organization)
    contact_id = found[0].contact_id
    contact = contacts.filter(pk=contact_id).first() if contact_id else None
    if contact is None:
        fields = people.erase(organization, person_id, actor=principal.actor, reason=reason)
        return Report({NAME: {"fields": fields}})
    asked = _asked.set((principal.actor, reason))
    try:
        return erasure.erase(principal, contact, reason)
    finally:
        _asked.reset(asked)


def erase(organization: Organization, contact_id: UUID) -> Mapping[str, int]:
    """For apps.messaging.erasure."""
    counts = {"registrations": 0, "cancelled": 0, "turns": 0}
    _fall_silent(organization, contact_id)
    theirs = Registration.objects.for_organization(organization).filter(contact=contact_id)
    after = _FIRST
    while ids := list(theirs.filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)[:AT_ONCE]):
        for name, count in _empty(organization, ids).items():
            counts[name] += count
        after = ids[-1]
    return {**counts, "fields": _erase_in_vault(organization, contact_id)}


@transaction.atomic
def _fall_silent(organization: Organization, contact_id: UUID) -> None:
    """Whoever is hearing one of their messages this moment writes nothing of it then: the lease is gone."""
    talks = Talk.objects.for_organization(organization).filter(conversation__contact=contact_id)
    list(talks.order_by("pk").select_for_update(of=("self",)).values_list("pk"))
    talks.delete()


@transaction.atomic
def _empty(organization: Organization, ids: list[UUID]) -> Mapping[str, int]:
    """What was confirmed and is not in the vault yet does not come there any more."""
    rows = Registration.objects.for_organization(organization).filter(pk__in=ids)
    held = list(rows.order_by("pk").select_for_update(no_key=True))
    unfinished = [
        each
        for each in held
        if each.is_running or (each.state == RegistrationState.COMPLETED and each.applied_at is None)
    ]
    telling = [each for each in held if each.opening or each.confirmed]
    turns = Turn.objects.for_organization(organization).filter(registration__in=ids).delete()[0]
    now = clock.now()
    rows.filter(pk__in=[each.pk for each in unfinished]).update(
        state=RegistrationState.CANCELLED, look_at=None, changed_at=now, ended_at=Coalesce(F("ended_at"), now)
    )
    rows.update(opening="", confirmed="", redacted_at=Coalesce(F("redacted_at"), now))
    for each in unfinished:
        each.ended_at = each.ended_at or now
    cancelled = State(RegistrationState.CANCELLED)
    transaction.on_commit(partial(memory.remember, [(each, cancelled) for each in unfinished]))
    return {"registrations": len(telling), "cancelled": len(unfinished), "turns": turns}


def _erase_in_vault(organization: Organization, contact_id: UUID) -> int:
    person_id = people.of_contact(organization, contact_id)
    actor, reason = _asked.get()
    try:
        return 0 if person_id is None else people.erase(organization, person_id, actor=actor, reason=reason)
    except NotFound:  # by somebody else, this moment
        return 0
