"""A person is forgotten, in all apps: what is kept says that there was somebody, and no more of who.

In small transactions, each of which can be repeated: a person may have very many messages. Whoever stops half-way
erases again. First they are parted from their addresses (detachment.py), so that nothing comes to what is being
erased; the contact itself is last.

The stream of events in Redis has ids and statuses only. Keys of limits have addresses in them, for some seconds.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from apps.accounts import audit
from apps.accounts.erasure import ERASED, forget_in_admin_log, forget_in_trail
from apps.accounts.models import Organization
from apps.accounts.principal import Principal
from apps.core import clock
from apps.messaging import detachment
from apps.messaging.detachment import Person
from apps.messaging.engine.cancel import cancel_many
from apps.messaging.models import Contact, Conversation, Delivery, DeliveryState, MergedContact, Message
from apps.messaging.redaction import erase_messages

logger = structlog.get_logger(__name__)

ACTION = "contact.erased"
AT_ONCE = 500
# Longer than a transaction that writes into the trail is open.
OVERLAP = timedelta(minutes=1)
_FIRST = UUID(int=0)

# Of an organization and one of its contacts; what was done is counted. Repeated, it finds nothing more to do.
type Eraser = Callable[[Organization, UUID], Mapping[str, int]]

_erasers: dict[str, Eraser] = {}


def register(name: str, eraser: Eraser) -> None:
    """For apps that know more of people. They are asked once messages have no words any more, in this order."""
    _erasers[name] = eraser


@dataclass(frozen=True, slots=True)
class Report:
    """What was done, by app."""

    counts: Mapping[str, Mapping[str, int]]

    def as_dict(self) -> dict[str, dict[str, int]]:
        return {app: dict(counts) for app, counts in self.counts.items()}


def erase(principal: Principal, contact: Contact, reason: str) -> Report:
    """Where the report counts what is `under_way`, it is at a provider now: erase again once that has ended."""
    organization, begun = principal.organization, clock.now()
    person = detachment.find(organization, contact.pk)
    # While their addresses are known.
    trail = _forget_trail(person)
    done = detachment.forget_callbacks(person)
    done["cancelled"] += _cancel_waiting(organization, contact.pk)
    done.update(detachment.detach(organization, contact.pk))
    # What was accepted in between.
    done["cancelled"] += _cancel_waiting(organization, contact.pk)
    for message_ids in messages_of(organization, contact.pk):
        done.update(erase_messages(organization, message_ids))
    counts = {"messaging": done, **{name: eraser(organization, contact.pk) for name, eraser in _erasers.items()}}
    report = Report({**counts, "trail": trail})
    _finish(principal, person, reason, report, begun)
    logger.info("contact_erased", contact_id=str(contact.pk), organization_id=str(organization.id))
    return report


def messages_of(organization: Organization, contact_id: UUID) -> Iterator[list[UUID]]:
    """All messages of a person's conversations, the oldest first, some at a time."""
    conversations = Conversation.objects.for_organization(organization).filter(contact=contact_id)
    messages = Message.objects.for_organization(organization).order_by("pk")
    for conversation_id in conversations.values_list("pk", flat=True):
        after = _FIRST
        theirs = messages.filter(conversation=conversation_id)
        while ids := list(theirs.filter(pk__gt=after).values_list("pk", flat=True)[:AT_ONCE]):
            yield ids
            after = ids[-1]


def _cancel_waiting(organization: Organization, contact_id: UUID) -> int:
    """What it finds is gone, or at a provider, so it comes to an end."""
    waiting = Delivery.objects.for_organization(organization).filter(
        conversation__contact=contact_id, state__in=[DeliveryState.WAITING, DeliveryState.SCHEDULED]
    )
    cancelled = 0
    while found := list(waiting.values_list("pk", "conversation")[:AT_ONCE]):
        messages, conversations = zip(*found, strict=True)
        cancelled += cancel_many(organization, conversations, messages)
    return cancelled


def _forget_trail(person: Person, since: datetime | None = None) -> dict[str, int]:
    things = [person.contact_id, *person.merged_ids, *person.conversation_ids]
    suppressed = list(person.suppressions().values_list("pk", flat=True))
    # A dead letter has the id of its message.
    letters = Message.across_organizations.filter(
        pk=OuterRef("target_id"), conversation__in=person.conversation_ids
    )
    about = (
        Q(target_id__in=[*things, *suppressed])
        | Q(target_kind="suppression", target_label__in=person.addresses)
        | Q(Exists(letters), target_kind="deadletter")
    )
    for kind, address in person.ways:
        # Of routes, and of whoever had the address before.
        about |= Q(target_kind="route", said__contains=f'"{address}"') | Q(said__contains=f'"{kind}:{address}"')
    return {
        # Why somebody was erased earlier is told as it was.
        "events": forget_in_trail(person.organization, about & ~Q(action=ACTION), since=since),
        "admin_log": forget_in_admin_log([*things, *suppressed]),
    }


@transaction.atomic
def _finish(principal: Principal, person: Person, reason: str, report: Report, begun: datetime) -> None:
    contact = (
        Contact.objects.for_organization(principal.organization)
        .select_for_update(no_key=True)
        .get(pk=person.contact_id)
    )
    # What members did meanwhile.
    _forget_trail(person, since=begun - OVERLAP)
    MergedContact.objects.for_organization(principal.organization).filter(contact=contact).delete()
    contact.name, contact.language, contact.time_zone = ERASED, "", ""
    contact.refused_categories, contact.refused_channels = [], []
    contact.quiet_from = contact.quiet_until = None
    contact.save()
    counted = {
        f"{app}.{name}": (None, count)
        for app, counts in report.counts.items()
        for name, count in counts.items()
        if count
    }
    audit.record(
        principal.actor,
        ACTION,
        contact,
        organization=principal.organization,
        changes={"reason": (None, reason), **counted},
    )
