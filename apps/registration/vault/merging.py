"""Two contacts turned out to be one, and so did the persons of whom we know."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from apps.accounts.models import Organization
from apps.accounts.principal import SYSTEM
from apps.core import clock
from apps.registration.vault import log
from apps.registration.vault.models import Access, Action, Person, PersonField

REASON = "Two contacts were found to be the same person"


def follow(organization: Organization, merged_contact_id: UUID, into_contact_id: UUID) -> None:
    if merged_contact_id == into_contact_id:
        return
    try:
        with transaction.atomic():
            _follow(organization, merged_contact_id, into_contact_id)
    except IntegrityError:
        # Somebody wrote the first thing about the contact that remains, this moment: now there are two.
        with transaction.atomic():
            _follow(organization, merged_contact_id, into_contact_id)


def _follow(organization: Organization, merged_contact_id: UUID, into_contact_id: UUID) -> None:
    both = Person.objects.for_organization(organization).filter(
        contact_id__in=[merged_contact_id, into_contact_id]
    )
    persons = {person.contact_id: person for person in both.order_by("pk").select_for_update()}
    merged, into = persons.get(merged_contact_id), persons.get(into_contact_id)
    if merged is None:
        return
    if into is not None:
        _unite(merged, into)
        return
    merged.contact_id = into_contact_id
    merged.save(update_fields=["contact_id"])
    log.write([_entry(merged, Action.WRITTEN, [])])


def _unite(merged: Person, into: Person) -> None:
    """Of each field the younger value stays; nothing is decrypted for that."""
    told = PersonField.across_organizations.filter(person__in=[merged, into]).defer("value", "digest")
    fields = list(told.order_by("pk").select_for_update())
    younger: dict[str, PersonField] = {}
    for field in fields:
        known = younger.get(field.name)
        if known is None or _age(field, into) > _age(known, into):
            younger[field.name] = field
    moved = [field for field in younger.values() if field.person_id == merged.pk]
    # The names that are free for them first.
    told.filter(name__in=[field.name for field in moved], person=into).delete()
    told.filter(pk__in=[field.pk for field in moved]).update(person=into)
    Person.across_organizations.filter(pk=merged.pk).delete()
    into.created_at = min(into.created_at, merged.created_at)
    into.changed_at = clock.now()
    into.keep_until = _later(into, merged)
    into.merged_ids = [*into.merged_ids, merged.pk, *merged.merged_ids]
    into.save(update_fields=["created_at", "changed_at", "keep_until", "merged_ids"])
    gone = [field.name for field in fields if field.person_id == merged.pk]
    log.write(
        [
            _entry(merged, Action.ERASED, gone),
            _entry(into, Action.WRITTEN, [field.name for field in moved]),
        ]
    )


def _age(field: PersonField, into: Person) -> tuple[datetime, bool]:
    """Of two of the same moment, the one of whom remains."""
    return field.changed_at, field.person_id == into.pk


def _later(one: Person, other: Person) -> datetime | None:
    """Whoever may be kept without end stays so: what is erased cannot be had back."""
    if one.keep_until is None or other.keep_until is None:
        return None
    return max(one.keep_until, other.keep_until)


def _entry(person: Person, action: Action, fields: Iterable[str]) -> Access:
    return log.entry(person.organization_id, person.pk, action, fields, actor=SYSTEM, reason=REASON)
