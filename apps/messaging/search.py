"""Finding messages and conversations by what is at hand: an id, a reference, a recipient, a status, a label.

Each way is one look into an index, for the tables are too long to be searched.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import reduce
from itertools import chain
from operator import and_
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from apps.accounts.models import Organization
from apps.channels.models import ChannelAccount
from apps.core.ids import first_id_of
from apps.messaging.contacts import named, reached_at
from apps.messaging.models import Conversation, ConversationLabel, DeadLetter, Delivery, Message
from apps.messaging.statuses import Status

MOST_FOUND = 200
# A message gets its id after the moment that it is accepted at.
_ID_DELAY = timedelta(minutes=1)
_LAST_MOMENT = datetime.max.replace(tzinfo=UTC) - _ID_DELAY

# Where every message with this status has a row under the same id, among few others.
SHORT_TABLES: dict[str | None, type[Delivery | DeadLetter]] = {
    Status.QUEUED: Delivery,
    Status.SENDING: Delivery,
    Status.FAILED: DeadLetter,
}


@dataclass(frozen=True, slots=True)
class Narrowing:
    """Which conversations: those that an index finds, or all, and of them those that are picked one by one."""

    found: Q
    sifted: Q


def narrowed(organization: Organization, wanted: Mapping[str, Any]) -> Narrowing:
    """An index finds the people, else the member's, else the label's, else what is unread; the rest is sifted.

    `assignee` is a member's id, or None for what nobody has taken.
    """
    ways: list[Q] = []
    people = _people(organization, wanted)
    if people is not None:
        ways.append(Q(contact__in=people))
    if wanted.get("assignee") is not None:
        ways.append(Q(assignee=wanted["assignee"]))
    if "label" in wanted:
        hung = ConversationLabel.across_organizations.filter(conversation=OuterRef("pk"), label=wanted["label"])
        ways.append(Q(Exists(hung)))
    if wanted.get("unread") is True:
        ways.append(Q(unread_count__gt=0))
    return Narrowing(ways[0] if ways else Q(), reduce(and_, ways[1:], _sifted(wanted)))


def _people(organization: Organization, wanted: Mapping[str, Any]) -> list[UUID] | None:
    """Whom all of what is known of them fits; None where nothing is."""
    known = [set(reached_at([organization.id], wanted["address"]))] if "address" in wanted else []
    if "name" in wanted:
        known.append(set(named([organization.id], wanted["name"])))
    if "contact_id" in wanted:
        known.append({wanted["contact_id"]})
    return sorted(set.intersection(*known)) if known else None


def _sifted(wanted: Mapping[str, Any]) -> Q:
    sifted = Q()
    if "state" in wanted:
        sifted &= Q(closed_at__isnull=wanted["state"] == "open")
    if "account_id" in wanted:
        sifted &= Q(account=wanted["account_id"])
    if "channel" in wanted:
        sifted &= Q(account__connector=wanted["channel"])
    if "assignee" in wanted and wanted["assignee"] is None:
        sifted &= Q(assignee=None)
    if wanted.get("unread") is False:
        sifted &= Q(unread_count=0)
    return sifted


def created_between(after: datetime | None, before: datetime | None) -> Q:
    """As a range of ids, which every index of messages ends with."""
    within = Q()
    if after is not None:
        within &= Q(pk__gte=first_id_of(after))
    if before is not None:
        within &= Q(pk__lt=first_id_of(min(before, _LAST_MOMENT) + _ID_DELAY))
    return within


def as_id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def conversations_with(organizations: Sequence[UUID], text: str) -> list[UUID]:
    """With whoever is reached there."""
    return _conversations_of(reached_at(organizations, text))


def conversations_named(organizations: Sequence[UUID], text: str) -> list[UUID]:
    """By their id, with whoever is reached there, or with people whose name begins so."""
    people = people_named(organizations, text)
    pk = as_id(text)
    return [*([pk] if pk else []), *_conversations_of(people)]


def people_named(organizations: Sequence[UUID], text: str) -> list[UUID]:
    """By their id, an address or the beginning of their name."""
    pk = as_id(text)
    return [*([pk] if pk else []), *reached_at(organizations, text), *named(organizations, text)]


def _conversations_of(people: Sequence[UUID]) -> list[UUID]:
    found = Conversation.across_organizations.filter(contact__in=people).order_by("-pk")
    return list(found.values_list("pk", flat=True)[:MOST_FOUND])


def messages_named(organizations: Sequence[UUID], text: str) -> list[UUID]:
    messages = Message.across_organizations.filter(organization__in=organizations)
    accounts = ChannelAccount.across_organizations.filter(organization__in=organizations)
    account_ids = list(accounts.values_list("pk", flat=True))
    conversations = conversations_with(organizations, text)
    named = as_id(text)
    ways: Iterable[QuerySet[Message]] = (
        messages.filter(pk__in=[named] if named else []),
        messages.filter(reference=text),
        messages.filter(account__in=account_ids, provider_id=text),
        messages.filter(conversation__in=conversations),
    )
    return list(chain.from_iterable(way.order_by("-pk").values_list("pk", flat=True)[:MOST_FOUND] for way in ways))
