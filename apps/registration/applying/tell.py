"""The call to the organization's own API: what it says is read from the vault when it leaves, and kept nowhere."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import batched
from uuid import UUID

import orjson

from apps.accounts.models import Organization
from apps.accounts.principal import SYSTEM
from apps.core.encryption import UnreadableSecret
from apps.messaging.engine.guards import Asked, Say, Stop, Verdict
from apps.registration.conversation.prepare import definition_of
from apps.registration.models import FlowVersion, Registration
from apps.registration.vault import people

GUARD = "registration"
REASON = "sent to the organization's own API"


def fill_in(asked: Sequence[Asked]) -> Mapping[UUID, Verdict]:
    registrations = Registration.across_organizations.select_related("organization", "version").defer(
        "opening", "confirmed"
    )
    found = registrations.in_bulk([each.key for each in asked])
    alike: dict[tuple[Organization, FlowVersion], list[Registration]] = defaultdict(list)
    for each in found.values():
        alike[each.organization, each.version].append(each)
    verdicts: dict[UUID, Verdict] = {}
    for (organization, version), theirs in alike.items():
        verdicts |= _verdicts(organization, version, theirs)
    gone = Stop("erased", "The person was erased before this was sent.")
    return {each.key: verdicts.get(each.key, gone) for each in asked}


def _verdicts(
    organization: Organization, version: FlowVersion, registrations: Sequence[Registration]
) -> Mapping[UUID, Verdict]:
    try:
        records = _records(organization, version, registrations)
    except UnreadableSecret:
        if len(registrations) == 1:
            return {registrations[0].id: Stop("unreadable", "A key that this was encrypted with is missing.")}
        alone = (_verdicts(organization, version, [each]) for each in registrations)
        return {key: verdict for verdicts in alone for key, verdict in verdicts.items()}
    return {
        each.id: Say(_document(each, records[each.contact_id]))
        for each in registrations
        if each.contact_id in records
    }


def _records(
    organization: Organization, version: FlowVersion, registrations: Sequence[Registration]
) -> Mapping[UUID | None, people.PersonRecord]:
    """By contact: two people who were merged since are one. What other flows asked of them is not for this one."""
    fields = {question.key for question in definition_of(version).questions}
    found = people.of_contacts(organization, {each.contact_id for each in registrations})
    return {
        record.contact_id: record
        for ids in batched(found.values(), people.MOST_AT_ONCE)
        for record in people.read_many(organization, ids, actor=SYSTEM, reason=REASON, fields=fields)
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
