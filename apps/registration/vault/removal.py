"""Persons go, with everything they told; the log of who saw them stays."""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.accounts.principal import SYSTEM, Actor
from apps.registration.vault import log
from apps.registration.vault.models import Action, Applied, Person, PersonField

BATCH = 200
RETENTION_OVER = "The time for which this data is kept is over"


def erase(persons: Collection[Person], *, actor: Actor, reason: str) -> int:
    """Locked ones. How many fields they had."""
    ids = [person.pk for person in persons]
    told = PersonField.across_organizations.filter(person__in=ids).order_by("pk").select_for_update()
    names: dict[UUID, list[str]] = defaultdict(list)
    for person_id, name in told.values_list("person_id", "name"):
        names[person_id].append(name)
    Person.across_organizations.filter(pk__in=ids).delete()
    log.write(
        [
            log.entry(
                person.organization_id, person.pk, Action.ERASED, names[person.pk], actor=actor, reason=reason
            )
            for person in persons
        ]
    )
    return sum(map(len, names.values()))


def erase_expired(now: datetime, most: int) -> list[tuple[UUID, UUID]]:
    """Each batch in its own transaction, so that what was done before something failed is done."""
    gone: list[tuple[UUID, UUID]] = []
    while len(gone) < most:
        batch = _erase_expired(now, min(BATCH, most - len(gone)))
        gone += batch
        if not batch:
            break
    return gone


@transaction.atomic
def _erase_expired(now: datetime, most: int) -> list[tuple[UUID, UUID]]:
    over = Person.across_organizations.filter(keep_until__lte=now).order_by("keep_until", "pk")
    # Whoever is being written to is left for the next time: that may give them more time.
    persons = list(over.select_for_update(skip_locked=True)[:most])
    if persons:
        erase(persons, actor=SYSTEM, reason=RETENTION_OVER)
    return [(person.organization_id, person.pk) for person in persons]


def forget_applied(before: datetime, most: int) -> int:
    old = Applied.across_organizations.filter(at__lt=before).order_by("at").values_list("pk", flat=True)[:most]
    return Applied.across_organizations.filter(pk__in=list(old)).delete()[0]
