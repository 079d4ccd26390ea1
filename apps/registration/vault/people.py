"""The one door to personal data: who comes through it says why, and is written down.

Whatever is read or changed here is in the access log, in the same transaction, or did not happen.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from rest_framework.exceptions import NotFound

from apps.accounts.models import Organization
from apps.accounts.principal import Actor
from apps.registration.kinds import Kind
from apps.registration.vault import documents, log, merging, removal, writing
from apps.registration.vault.digests import digest
from apps.registration.vault.documents import as_csv
from apps.registration.vault.log import ReasonMissing
from apps.registration.vault.models import Action, Person, PersonField
from apps.registration.vault.records import AccessRecord, FieldRecord, PersonRecord
from apps.registration.vault.writing import Values

__all__ = [
    "MOST_AT_ONCE",
    "AccessRecord",
    "FieldRecord",
    "PersonRecord",
    "ReasonMissing",
    "accesses",
    "as_csv",
    "erase",
    "export",
    "find",
    "follow_merged",
    "forget_applied",
    "forget_expired",
    "of_contact",
    "of_contacts",
    "overview",
    "read",
    "read_many",
    "write",
]

MOST_AT_ONCE = 200
# In what is handed over to a person; the log itself has them all.
MOST_ACCESSES_EXPORTED = 10_000


@transaction.atomic
def write(
    organization: Organization,
    *,
    contact_id: UUID,
    values: Values,
    actor: Actor,
    reason: str,
    once: UUID | None = None,
    keep_until: datetime | None = None,
) -> UUID:
    """The id of the contact's person, new or changed. An empty value removes its field.

    `once` is the id of what is being applied: a second time nothing changes, not even for a person who was
    erased since. Without `keep_until` they are kept without end; nobody is kept shorter than it was said before.
    """
    reason = log.checked(reason)
    writing.check(values)
    if once is not None and not writing.is_first(organization, once):
        return writing.applied_to(organization, once)
    person_id = writing.hold(organization, contact_id, keep_until)
    writing.put(organization, person_id, values)
    if once is not None:
        writing.remember(organization, once, person_id)
    log.write([log.entry(organization.id, person_id, Action.WRITTEN, values, actor=actor, reason=reason)])
    return person_id


def read(
    organization: Organization,
    person_id: UUID,
    *,
    actor: Actor,
    reason: str,
    fields: Collection[str] | None = None,
) -> PersonRecord:
    """All that is known, or these fields of it."""
    found = read_many(organization, [person_id], actor=actor, reason=reason, fields=fields)
    if not found:
        raise NotFound
    return found[0]


@transaction.atomic
def read_many(
    organization: Organization,
    person_ids: Sequence[UUID],
    *,
    actor: Actor,
    reason: str,
    fields: Collection[str] | None = None,
) -> list[PersonRecord]:
    """In the order of the ids; who is not there, or not the organization's, is left out."""
    reason = log.checked(reason)
    if len(person_ids) > MOST_AT_ONCE:
        raise ValueError(f"At most {MOST_AT_ONCE} persons are read at once")
    persons = Person.objects.for_organization(organization).in_bulk(person_ids)
    wanted = [persons[person_id] for person_id in dict.fromkeys(person_ids) if person_id in persons]
    return _read(organization, wanted, actor=actor, reason=reason, fields=fields)


@transaction.atomic
def find(organization: Organization, kind: Kind, value: str, *, actor: Actor, reason: str) -> list[UUID]:
    """Who told this canonical value. A search that finds nobody is written down too."""
    reason = log.checked(reason)
    if not writing.is_text(value):
        raise ValueError("What is looked for is no text")
    wanted = digest(organization.id, kind, value)
    if wanted is None:
        raise ValueError(f"Nobody is found by {kind.value}")
    told = PersonField.objects.for_organization(organization).filter(kind=kind, digest=wanted)
    names: dict[UUID | None, list[str]] = defaultdict(list)
    for person_id, name in told.order_by("person_id", "name").values_list("person_id", "name")[:MOST_AT_ONCE]:
        names[person_id].append(name)
    found = list(names)
    log.write(
        [
            log.entry(organization.id, person_id, Action.FOUND, names[person_id], actor=actor, reason=reason)
            for person_id in found or [None]
        ]
    )
    return [person_id for person_id in found if person_id is not None]


def of_contact(organization: Organization, contact_id: UUID) -> UUID | None:
    """Only whether there is somebody, which says nothing of them."""
    persons = Person.objects.for_organization(organization).filter(contact_id=contact_id)
    return persons.values_list("pk", flat=True).first()


def of_contacts(organization: Organization, contact_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """By contact, those of whom something is known."""
    persons = Person.objects.for_organization(organization).filter(contact_id__in=contact_ids)
    return {contact: pk for contact, pk in persons.values_list("contact_id", "pk") if contact is not None}


def overview(
    organization: Organization,
    *,
    person_ids: Collection[UUID] | None = None,
    before: UUID | None = None,
    most: int = 50,
) -> list[PersonRecord]:
    """These or all, newest first, without anything that they told: so nobody has to say why."""
    persons = Person.objects.for_organization(organization).order_by("-pk")
    if person_ids is not None:
        persons = persons.filter(pk__in=person_ids)
    if before is not None:
        persons = persons.filter(pk__lt=before)
    return [_record(person, {}) for person in persons[: min(most, MOST_AT_ONCE)]]


def accesses(
    organization: Organization, *, person_id: UUID | None = None, before: UUID | None = None, most: int = 50
) -> list[AccessRecord]:
    """Of one person, who may be gone, or of all of the organization's; newest first."""
    ids = None if person_id is None else [person_id]
    return log.latest(organization, person_ids=ids, before=before, most=min(most, MOST_AT_ONCE))


@transaction.atomic
def export(organization: Organization, person_id: UUID, *, actor: Actor, reason: str) -> dict[str, Any]:
    """All that is known of somebody, and who had to do with it, this export included."""
    reason = log.checked(reason)
    person = Person.objects.for_organization(organization).filter(pk=person_id).first()
    if person is None:
        raise NotFound
    fields = list(PersonField.objects.for_organization(organization).filter(person=person).order_by("name"))
    names = [field.name for field in fields]
    log.write([log.entry(organization.id, person.pk, Action.EXPORTED, names, actor=actor, reason=reason)])
    all_ids = [person.pk, *person.merged_ids]
    seen = log.latest(organization, person_ids=all_ids, most=MOST_ACCESSES_EXPORTED + 1)
    return documents.document(
        person,
        fields,
        seen[:MOST_ACCESSES_EXPORTED],
        has_more_accesses=len(seen) > MOST_ACCESSES_EXPORTED,
    )


@transaction.atomic
def erase(organization: Organization, person_id: UUID, *, actor: Actor, reason: str) -> int:
    """How many fields are gone for good, and the person with them. The log stays and says so."""
    reason = log.checked(reason)
    persons = Person.objects.for_organization(organization).filter(pk=person_id).select_for_update()
    person = persons.first()
    if person is None:
        raise NotFound
    return removal.erase([person], actor=actor, reason=reason)


def follow_merged(organization: Organization, merged_contact_id: UUID, into_contact_id: UUID) -> None:
    """The persons of two contacts become one; of each field the younger value stays."""
    merging.follow(organization, merged_contact_id, into_contact_id)


def forget_expired(now: datetime, most: int) -> list[tuple[UUID, UUID]]:
    """Erases whose time is over: (organization, person) of each, at most so many."""
    return removal.erase_expired(now, most)


def forget_applied(before: datetime, most: int) -> int:
    """Forgets what was applied `once` before then, and that nobody will tell of again."""
    return removal.forget_applied(before, most)


def _read(
    organization: Organization,
    persons: Sequence[Person],
    *,
    actor: Actor,
    reason: str,
    fields: Collection[str] | None,
) -> list[PersonRecord]:
    told = PersonField.objects.for_organization(organization).filter(person__in=persons)
    if fields is not None:
        told = told.filter(name__in=fields)
    known: dict[UUID, dict[str, FieldRecord]] = defaultdict(dict)
    for row in told.order_by("person_id", "name"):
        known[row.person_id][row.name] = FieldRecord(Kind(row.kind), row.value, row.changed_at)
    log.write(
        [
            log.entry(organization.id, person.pk, Action.READ, known[person.pk], actor=actor, reason=reason)
            for person in persons
        ]
    )
    return [_record(person, known[person.pk]) for person in persons]


def _record(person: Person, values: dict[str, FieldRecord]) -> PersonRecord:
    return PersonRecord(
        id=person.pk,
        contact_id=person.contact_id,
        created_at=person.created_at,
        changed_at=person.changed_at,
        keep_until=person.keep_until,
        values=values,
    )
