"""The call to the organization's own API: what it says is read from the vault when it leaves, and kept nowhere."""

from collections.abc import Mapping, Sequence
from itertools import batched
from uuid import UUID

import orjson

from apps.accounts.models import Organization
from apps.accounts.principal import SYSTEM
from apps.messaging.engine.guards import Asked, Say, Stop, Verdict
from apps.registration.models import Registration
from apps.registration.vault import people

GUARD = "registration"
REASON = "sent to the organization's own API"


def fill_in(asked: Sequence[Asked]) -> Mapping[UUID, Verdict]:
    registrations = Registration.across_organizations.select_related("organization").in_bulk(
        [each.key for each in asked]
    )
    verdicts: dict[UUID, Verdict] = {}
    for organization in {each.organization for each in registrations.values()}:
        theirs = [each for each in registrations.values() if each.organization_id == organization.id]
        records = _records(organization, theirs)
        verdicts |= {
            each.id: Say(_document(each, records[each.contact_id]))
            for each in theirs
            if each.contact_id in records
        }
    gone = Stop("erased", "The person was erased before this was sent.")
    return {each.key: verdicts.get(each.key, gone) for each in asked}


def _records(
    organization: Organization, registrations: Sequence[Registration]
) -> Mapping[UUID | None, people.PersonRecord]:
    """By contact: two people who were merged since are one."""
    found = people.of_contacts(organization, {each.contact_id for each in registrations})
    return {
        record.contact_id: record
        for ids in batched(found.values(), people.MOST_AT_ONCE)
        for record in people.read_many(organization, ids, actor=SYSTEM, reason=REASON)
    }


def _document(registration: Registration, person: people.PersonRecord) -> str:
    """As text, for that is what a message says; the receiver reads it as JSON."""
    return orjson.dumps(
        {
            "event": "registration.completed",
            "registration_id": registration.id,
            "person_id": person.id,
            "contact_id": registration.contact_id,
            "is_update": registration.is_update,
            "language": registration.language,
            "confirmed_at": registration.ended_at,
            "data": {name: field.value for name, field in person.values.items()},
        }
    ).decode()
