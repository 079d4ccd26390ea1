"""Whom an organization writes to."""

from collections.abc import Sequence
from uuid import UUID

from apps.channels.addresses import normalized
from apps.channels.connector import AddressKind
from apps.core import clock
from apps.messaging.models import ContactAddress


def opt_out(organization_id: UUID, kind: str, addresses: Sequence[str]) -> None:
    """These people are not written to any more at these addresses."""
    ContactAddress.across_organizations.filter(
        organization=organization_id, kind=kind, value__in=addresses, opted_out_at=None
    ).update(opted_out_at=clock.now())


def reached_at(organizations: Sequence[UUID], address: str) -> list[UUID]:
    """Who has this address, of any kind; one look into an index for each."""
    reached = ContactAddress.across_organizations.filter(
        organization__in=organizations, kind__in=list(AddressKind), value=normalized(address)
    )
    return list(reached.values_list("contact_id", flat=True))
