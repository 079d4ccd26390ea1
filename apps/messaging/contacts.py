"""Whom an organization writes to."""

from collections.abc import Sequence
from uuid import UUID

from apps.channels.addresses import normalized
from apps.channels.capabilities import AddressKind
from apps.messaging.models import ContactAddress


def reached_at(organizations: Sequence[UUID], address: str) -> list[UUID]:
    """Who has this address, of any kind; one look into an index for each."""
    reached = ContactAddress.across_organizations.filter(
        organization__in=organizations, kind__in=list(AddressKind), value=normalized(address)
    )
    return list(reached.values_list("contact_id", flat=True))
