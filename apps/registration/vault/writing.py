"""What becomes of a write in the tables, in a fixed number of statements.

The row of the person is locked first, its fields after that in the order of their ids: so does everything else
that holds several of them, the rotation of keys included.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from apps.accounts.models import Organization
from apps.core import clock
from apps.core.ids import new_id
from apps.registration.kinds import Kind
from apps.registration.vault.digests import digest
from apps.registration.vault.models import LONGEST_NAME, Applied, PersonField

MOST_VALUES = 100
LONGEST_VALUE = 4_000

type Values = Mapping[str, tuple[Kind, str]]

# Of several times for which somebody may be kept the longest counts: what is erased cannot be had back. No time is
# the longest of all.
_HOLD = """
    INSERT INTO vault.person AS known
        (id, organization_id, contact_id, merged_ids, created_at, changed_at, keep_until)
    VALUES (%(id)s, %(organization)s, %(contact)s, '{}', %(now)s, %(now)s, %(keep_until)s)
    ON CONFLICT (organization_id, contact_id) DO UPDATE SET
        changed_at = greatest(known.changed_at, excluded.changed_at),
        keep_until = CASE WHEN known.keep_until IS NOT NULL AND excluded.keep_until IS NOT NULL
                          THEN greatest(known.keep_until, excluded.keep_until) END
    RETURNING id
"""
# Somebody who applies the same this moment is waited for.
_APPLY = """
    INSERT INTO vault.applied (id, organization_id, at) VALUES (%(id)s, %(organization)s, %(now)s)
    ON CONFLICT (id) DO NOTHING
"""


def check(values: Values) -> None:
    """What is wrong with them is a mistake of the caller, and is said without showing them."""
    if len(values) > MOST_VALUES:
        raise ValueError(f"A person is told at most {MOST_VALUES} fields at once")
    for name, (_kind, value) in values.items():
        if not 0 < len(name) <= LONGEST_NAME:
            raise ValueError(f"The name of a field has 1 to {LONGEST_NAME} characters")
        if len(value) > LONGEST_VALUE or not is_text(value):
            raise ValueError(f"The value of {name!r} is too long, or is no text")


def is_text(value: str) -> bool:
    """Half a character cannot be encrypted, and Python's complaint about it would carry all of the value."""
    return not any("\ud800" <= character <= "\udfff" for character in value)


def is_first(organization: Organization, once: UUID) -> bool:
    """Whether this was not applied before; it is from now on."""
    with connection.cursor() as cursor:
        cursor.execute(_APPLY, {"id": once, "organization": organization.id, "now": clock.now()})
        return bool(cursor.rowcount)


def remember(organization: Organization, once: UUID, person_id: UUID) -> None:
    Applied.objects.for_organization(organization).filter(pk=once).update(person_id=person_id)


def applied_to(organization: Organization, once: UUID) -> UUID:
    """Whom it was written of, who may be gone by now."""
    person_id = Applied.objects.for_organization(organization).get(pk=once).person_id
    assert person_id is not None
    return person_id


def hold(organization: Organization, contact_id: UUID, keep_until: datetime | None) -> UUID:
    """The person of this contact, new or not; others who write of them wait until we are done."""
    given: dict[str, Any] = {
        "id": new_id(),
        "organization": organization.id,
        "contact": contact_id,
        "keep_until": keep_until,
        "now": clock.now(),
    }
    with connection.cursor() as cursor:
        cursor.execute(_HOLD, given)
        (person_id,) = cursor.fetchone()
    return UUID(str(person_id))


def put(organization: Organization, person_id: UUID, values: Values) -> None:
    """Of a person that is held. What was there is replaced unread."""
    own = PersonField.objects.for_organization(organization).filter(person=person_id, name__in=list(values))
    list(own.order_by("pk").select_for_update().values_list("pk"))
    now = clock.now()
    told = [
        PersonField(
            organization_id=organization.id, person_id=person_id, name=name, kind=kind, value=value,
            digest=digest(organization.id, kind, value), changed_at=now,
        )
        for name, (kind, value) in values.items()
        if value
    ]  # fmt: skip
    PersonField.across_organizations.bulk_create(
        told,
        update_conflicts=True,
        unique_fields=["person", "name"],
        update_fields=["kind", "value", "digest", "changed_at"],
    )
    emptied = [name for name, (_kind, value) in values.items() if not value]
    if emptied:
        own.filter(name__in=emptied).delete()
