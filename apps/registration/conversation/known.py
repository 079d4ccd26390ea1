"""What the vault knows of people who write: so that they correct it, and are not asked for it again."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from apps.accounts.models import Organization
from apps.accounts.principal import SYSTEM
from apps.registration.conversation.claim import Claimed
from apps.registration.vault import people

REASON = "the person registers, or corrects their data"


def known_of(claimed: Sequence[Claimed]) -> dict[UUID, Mapping[str, str]]:
    """By contact; without those of whom nothing is known."""
    if not claimed:
        return {}
    contacts: dict[UUID, list[UUID]] = {}
    for each in claimed:
        contacts.setdefault(each.organization_id, []).append(each.contact_id)
    known: dict[UUID, Mapping[str, str]] = {}
    for organization_id, organization in Organization.objects.in_bulk(contacts).items():
        ids = list(people.of_contacts(organization, contacts[organization_id]).values())
        for record in people.read_many(organization, ids, actor=SYSTEM, reason=REASON) if ids else ():
            if record.contact_id is not None:
                known[record.contact_id] = {name: field.value for name, field in record.values.items()}
    return known


def follow_merged(organization: Organization, merged_id: UUID, into_id: UUID, **_: Any) -> None:
    people.follow_merged(organization, merged_id, into_id)
