"""Addresses that are not written to, whoever they belong to and whatever becomes of the contact."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from apps.accounts import audit
from apps.accounts.principal import Principal
from apps.core import clock
from apps.core.api.problems import Conflict
from apps.core.ids import new_id
from apps.messaging.models import ConsentEvent, ConsentSource, ContactAddress, Suppression

# What a person said here by themselves, and may take back here.
OWN_SOURCES = (ConsentSource.WORD, ConsentSource.PAGE, ConsentSource.ONE_CLICK)


class AlreadySuppressed(Conflict):
    default_code = "already_suppressed"
    default_detail = _("This address is suppressed already.")


@transaction.atomic(savepoint=False)
def add(
    organization_id: UUID,
    kind: str,
    addresses: Sequence[str],
    source: ConsentSource,
    *,
    category: str = "",
    detail: str = "",
) -> list[Suppression]:
    """Those of them that were not suppressed before. A fixed number of statements, whatever the number."""
    rows = [
        Suppression(
            id=new_id(), organization_id=organization_id, kind=kind, value=address, category=category,
            source=source, detail=detail[:255], created_at=clock.now(),
        )
        for address in sorted(set(addresses))
    ]  # fmt: skip
    Suppression.across_organizations.bulk_create(rows, ignore_conflicts=True)
    # Whoever was there first has another id.
    added = list(Suppression.across_organizations.filter(pk__in=[row.pk for row in rows]).order_by("pk"))
    _note(added, source, detail, is_given=False)
    return added


@transaction.atomic(savepoint=False)
def lift(
    organization_id: UUID, addresses: Iterable[tuple[str, str]], source: ConsentSource, *, detail: str = ""
) -> list[Suppression]:
    """Of pairs of a kind and an address, those that their person had suppressed and that are written to again.

    What a provider, an application or an operator suppressed stays so.
    """
    found = of_addresses(organization_id, addresses).filter(source__in=OWN_SOURCES)
    lifted = list(found.select_for_update().order_by("pk"))
    _take_away(lifted, source, detail)
    return lifted


def follow(organization_id: UUID, kind: str, old: str, new: str) -> None:
    """Somebody is reached at another address now: what they had suppressed at the old one stays suppressed."""
    rows = list(of_addresses(organization_id, [(kind, old)]))
    for row in rows:
        row.id, row.value, row.created_at = new_id(), new, clock.now()
    Suppression.across_organizations.bulk_create(rows, ignore_conflicts=True)


def of_addresses(organization_id: UUID, addresses: Iterable[tuple[str, str]]) -> QuerySet[Suppression]:
    wanted = Q(pk__in=[])
    for kind, value in addresses:
        wanted |= Q(kind=kind, value=value)
    return Suppression.across_organizations.filter(wanted, organization=organization_id)


@transaction.atomic
def put(
    principal: Principal,
    kind: str,
    addresses: Sequence[str],
    source: ConsentSource,
    *,
    category: str = "",
    detail: str = "",
) -> list[Suppression]:
    """As an application or an operator wants it. Written down once, however many there are."""
    organization = principal.organization
    added = add(organization.id, kind, addresses, source, category=category, detail=detail)
    if added:
        said = {"kind": kind, "category": category, "source": source.value, "detail": detail, "count": len(added)}
        changes = {name: (None, value) for name, value in said.items() if value}
        audit.record(principal.actor, "suppression.added", added[0], organization=organization, changes=changes)
    return added


@transaction.atomic
def remove(principal: Principal, suppression: Suppression, source: ConsentSource, detail: str = "") -> None:
    audit.record(
        principal.actor,
        "suppression.removed",
        suppression,
        organization=principal.organization,
        changes={"source": (suppression.source, None), "detail": (suppression.detail, detail)},
    )
    _take_away([suppression], source, detail)


def _take_away(suppressions: Sequence[Suppression], source: ConsentSource, detail: str) -> None:
    Suppression.across_organizations.filter(pk__in=[each.pk for each in suppressions]).delete()
    _note(suppressions, source, detail, is_given=True)


def _note(suppressions: Sequence[Suppression], source: ConsentSource, detail: str, *, is_given: bool) -> None:
    """In the history of whoever has the address."""
    if not suppressions:
        return
    owners = ContactAddress.across_organizations.filter(
        organization=suppressions[0].organization_id,
        kind__in={each.kind for each in suppressions},
        value__in=[each.value for each in suppressions],
    )
    contacts = {(kind, value): contact for kind, value, contact in owners.values_list("kind", "value", "contact")}
    ConsentEvent.across_organizations.bulk_create(
        [
            ConsentEvent(
                organization_id=each.organization_id,
                contact_id=contacts[each.kind, each.value],
                subject=_subject(each),
                is_given=is_given,
                source=source,
                detail=detail[:255],
                at=clock.now(),
            )
            for each in suppressions
            if (each.kind, each.value) in contacts
        ]
    )


def _subject(suppression: Suppression) -> str:
    address = f"{suppression.kind}:{suppression.value}"
    return f"{address} {suppression.category}"[:280] if suppression.category else address
