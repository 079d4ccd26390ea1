"""What a person allows and refuses, as it is kept with their contact; whatever changes is in their history."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import time
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.accounts import audit
from apps.accounts.principal import Principal
from apps.core import clock
from apps.core.api.problems import Conflict
from apps.messaging.consent import suppressions
from apps.messaging.models import ConsentEvent, ConsentSource, Contact, ContactAddress

ALL = "all"
QUIET_HOURS = "quiet_hours"
CATEGORY = "category"
CHANNEL = "channel"
# Applications name categories as they like, and a contact is read before every message.
MOST_REFUSED = 100


class TooManyRefused(Conflict):
    default_code = "too_many_refused"
    default_detail = _("This person has refused so many categories that no more are kept.")


@dataclass(frozen=True, slots=True)
class Choice:
    """`all`, `category:marketing` or `channel:sms`, allowed or refused."""

    subject: str
    is_given: bool


@dataclass(frozen=True, slots=True)
class QuietHours:
    begins: time
    ends: time
    time_zone: str

    def __str__(self) -> str:
        return f"{self.begins:%H:%M}-{self.ends:%H:%M} {self.time_zone}"


def about_category(category: str) -> str:
    return f"{CATEGORY}:{category}"


def about_channel(connector: str) -> str:
    return f"{CHANNEL}:{connector}"


def is_given(contact: Contact, subject: str) -> bool:
    what, _colon, name = subject.partition(":")
    return contact.left_at is None if what == ALL else name not in _refused(contact, what)


@transaction.atomic(savepoint=False)
def choose(
    contact_id: UUID,
    choices: Sequence[Choice],
    source: ConsentSource,
    detail: str = "",
    *,
    notes_repeats: bool = False,
) -> list[ConsentEvent]:
    """What changes by it is noted; what was so before only where that is proof of something."""
    contact = _locked(contact_id)
    new = [each for each in choices if notes_repeats or is_given(contact, each.subject) != each.is_given]
    for choice in new:
        _apply(contact, choice)
    if new:
        contact.save(update_fields=["left_at", "refused_categories", "refused_channels"])
    return _note(contact, new, source, detail)


@transaction.atomic(savepoint=False)
def come_back(contact: Contact, source: ConsentSource, detail: str = "") -> None:
    """To all that the person has left, at every address where they said so themselves."""
    choose(contact.pk, [Choice(ALL, is_given=True)], source, detail)
    addresses = ContactAddress.across_organizations.filter(contact=contact).values_list("kind", "value")
    suppressions.lift(contact.organization_id, addresses, source, detail=detail)


@transaction.atomic(savepoint=False)
def keep_quiet(contact_id: UUID, hours: QuietHours | None, source: ConsentSource) -> list[ConsentEvent]:
    contact = _locked(contact_id)
    before = (contact.quiet_from, contact.quiet_until, contact.time_zone)
    if hours is None:
        contact.quiet_from = contact.quiet_until = None
    else:
        contact.quiet_from, contact.quiet_until, contact.time_zone = hours.begins, hours.ends, hours.time_zone
    if (contact.quiet_from, contact.quiet_until, contact.time_zone) == before:
        return []
    contact.save(update_fields=["quiet_from", "quiet_until", "time_zone"])
    return _note(contact, [Choice(QUIET_HOURS, is_given=hours is None)], source, str(hours) if hours else "")


@transaction.atomic
def record(principal: Principal, contact: Contact, choice: Choice, detail: str) -> ConsentEvent:
    """An application tells what a person said elsewhere. Said again it is noted again."""
    before = is_given(contact, choice.subject)
    if not choice.is_given and len(contact.refused_categories) >= MOST_REFUSED:
        raise TooManyRefused
    (event,) = choose(contact.pk, [choice], ConsentSource.API, detail, notes_repeats=True)
    audit.record(
        principal.actor,
        "consent.recorded",
        contact,
        organization=principal.organization,
        changes={choice.subject: (before, choice.is_given)},
    )
    return event


def _locked(contact_id: UUID) -> Contact:
    return Contact.across_organizations.select_for_update(no_key=True).get(pk=contact_id)


def _refused(contact: Contact, what: str) -> list[str]:
    return contact.refused_categories if what == CATEGORY else contact.refused_channels


def _apply(contact: Contact, choice: Choice) -> None:
    what, _colon, name = choice.subject.partition(":")
    if what == ALL:
        contact.left_at = None if choice.is_given else contact.left_at or clock.now()
        return
    refused = _refused(contact, what)
    if choice.is_given and name in refused:
        refused.remove(name)
    elif not choice.is_given and name not in refused:
        refused.append(name)


def _note(contact: Contact, choices: Sequence[Choice], source: ConsentSource, detail: str) -> list[ConsentEvent]:
    return ConsentEvent.across_organizations.bulk_create(
        [
            ConsentEvent(
                organization_id=contact.organization_id,
                contact=contact,
                subject=choice.subject,
                is_given=choice.is_given,
                source=source,
                detail=detail[:255],
                at=clock.now(),
            )
            for choice in choices
        ]
    )
