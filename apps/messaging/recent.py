"""Conversations by what happened in them last: no index knows that, so it is read from the latest messages."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db.models import OuterRef, Subquery

from apps.accounts.models import Organization
from apps.messaging.inbox import shown
from apps.messaging.models import Conversation, Message
from apps.messaging.search import Narrowing

LOOKED_AT = 2000
_NEVER = UUID(int=0)

# A conversation and its last message, whose id tells when that was.
type _Active = tuple[UUID, UUID | None]


@dataclass(frozen=True, slots=True)
class Recent:
    conversation: Conversation
    last_message: Message | None


def recent(
    organization: Organization, narrowing: Narrowing, *, most: int, before: UUID | None = None
) -> list[Recent]:
    """The last active first. `before` is a message: those behind it.

    Those of the organization's latest messages; where an index knows what is wanted, the newest that it finds,
    however long they have been silent.
    """
    active = _found(organization, narrowing) if narrowing.found else _of_the_latest(organization)
    if before is not None:
        active = [(pk, last) for pk, last in active if last is not None and last < before]
    if narrowing.sifted:
        ours = Conversation.objects.for_organization(organization).filter(pk__in=[pk for pk, _ in active])
        kept = set(ours.filter(narrowing.sifted).values_list("pk", flat=True))
        active = [(pk, last) for pk, last in active if pk in kept]
    return _read(organization, active[:most])


def _of_the_latest(organization: Organization) -> list[_Active]:
    latest = Message.objects.for_organization(organization).order_by("-pk")
    return list(_first_of_each(latest.values_list("conversation_id", "pk")[:LOOKED_AT]))


def _first_of_each(messages: Iterable[tuple[UUID, UUID]]) -> Iterable[_Active]:
    seen: dict[UUID, UUID | None] = {}
    for conversation, message in messages:
        seen.setdefault(conversation, message)
    return seen.items()


def _found(organization: Organization, narrowing: Narrowing) -> list[_Active]:
    newest = Conversation.objects.for_organization(organization).filter(narrowing.found).order_by("-pk")
    messages = Message.objects.for_organization(organization).filter(conversation=OuterRef("pk")).order_by("-pk")
    active = newest.annotate(last=Subquery(messages.values("pk")[:1])).values_list("pk", "last")[:LOOKED_AT]
    return sorted(active, key=lambda each: each[1] or _NEVER, reverse=True)


def _read(organization: Organization, active: list[_Active]) -> list[Recent]:
    conversations = shown(Conversation.objects.for_organization(organization)).in_bulk([pk for pk, _ in active])
    last = Message.objects.for_organization(organization).in_bulk([pk for _, pk in active if pk is not None])
    return [
        Recent(conversations[pk], last.get(message) if message is not None else None)
        for pk, message in active
        if pk in conversations
    ]
