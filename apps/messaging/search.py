"""Finding messages by what somebody has in hand: an id, a reference, the provider's id, a recipient, a status.

Each way is one look into an index, for the tables are too long to be searched.
"""

from collections.abc import Iterable, Sequence
from itertools import chain
from uuid import UUID

from django.db.models import QuerySet

from apps.channels.models import ChannelAccount
from apps.messaging.contacts import reached_at
from apps.messaging.models import Conversation, DeadLetter, Delivery, Message
from apps.messaging.statuses import Status

MOST_FOUND = 200

# Where every message with this status has a row under the same id, among few others.
SHORT_TABLES: dict[str | None, type[Delivery | DeadLetter]] = {
    Status.QUEUED: Delivery,
    Status.SENDING: Delivery,
    Status.FAILED: DeadLetter,
}


def as_id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def conversations_with(organizations: Sequence[UUID], text: str) -> list[UUID]:
    found = Conversation.across_organizations.filter(contact__in=reached_at(organizations, text))
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
