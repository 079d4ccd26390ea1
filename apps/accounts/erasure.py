"""What the trail says of somebody who is erased: that something was done stays, to whom and what does not.

Answers that are kept for repeated requests (idempotency.py) are left alone: they are encrypted, and gone in a day.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from uuid import UUID

from django.contrib.admin.models import LogEntry
from django.contrib.postgres.fields import ArrayField
from django.db.models import F, Func, JSONField, Q, QuerySet, TextField, Value
from django.db.models.functions import Cast

from apps.accounts.models import AuditEvent, Organization
from apps.core.ids import first_id_of

# In the place of everything that was known of a person.
ERASED = "[erased]"
AT_ONCE = 5_000
_FIRST = UUID(int=0)


def forget_in_trail(organization: Organization, about: Q, *, since: datetime | None = None) -> int:
    """How many of the events that `about` picks said anything until now. It may look into `changes` as `said`."""
    picked = about & ~Q(target_label=ERASED, changes={})
    return sum(
        page.alias(said=Cast("changes", TextField())).filter(picked).update(target_label=ERASED, changes={})
        for page in _pages(organization, since)
    )


def forget_fields_in_trail(organization: Organization, about: Q, fields: Sequence[str]) -> int:
    """Only these of what was changed; the rest of the story is still needed."""
    picked = about & Q(changes__has_any_keys=list(fields))
    names = Value(list(fields), output_field=ArrayField(TextField()))
    rest = Func(F("changes"), names, template="(%(expressions)s)", arg_joiner=" - ", output_field=JSONField())
    return sum(page.filter(picked).update(changes=rest) for page in _pages(organization, None))


def forget_in_admin_log(ids: Collection[UUID]) -> int:
    """Django's own log of the admin keeps what a thing was called when it was changed there."""
    entries = LogEntry.objects.filter(object_id__in=[str(each) for each in ids]).exclude(object_repr=ERASED)
    return entries.update(object_repr=ERASED, change_message="")


def _pages(organization: Organization, since: datetime | None) -> Iterator[QuerySet[AuditEvent]]:
    """The trail in pieces: no index knows what its events are about, so all of it is looked through."""
    events = AuditEvent.objects.for_organization(organization)
    after = _FIRST if since is None else first_id_of(since)
    while page := list(events.filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)[:AT_ONCE]):
        yield events.filter(pk__gt=after, pk__lte=page[-1])
        after = page[-1]
