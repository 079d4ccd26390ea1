"""Addresses that are not written to."""

from collections.abc import Sequence
from uuid import UUID

from apps.core import clock
from apps.core.ids import new_id
from apps.messaging.models import ConsentSource, Suppression


def add(
    organization_id: UUID,
    kind: str,
    addresses: Sequence[str],
    source: ConsentSource,
    *,
    category: str = "",
    detail: str = "",
) -> list[str]:
    """Those of them that were not suppressed before."""
    known = Suppression.across_organizations.filter(
        organization=organization_id, kind=kind, value__in=addresses, category=category
    )
    new = set(addresses) - set(known.values_list("value", flat=True))
    Suppression.across_organizations.bulk_create(
        [
            Suppression(
                id=new_id(), organization_id=organization_id, kind=kind, value=address, category=category,
                source=source, detail=detail[:255], created_at=clock.now(),
            )
            for address in sorted(new)
        ],
        ignore_conflicts=True,
    )  # fmt: skip
    return sorted(new)
