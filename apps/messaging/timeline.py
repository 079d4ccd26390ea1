"""The whole way of a message: its own events, and those of the messages that took its place."""

from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from apps.messaging.models import Message, MessageEvent

# A message names five ways at most; whatever is longer is none of ours.
LONGEST_CHAIN = 20


def events_of(message: Message) -> QuerySet[MessageEvent]:
    """In the organization of the message, which the caller has made sure of."""
    events = MessageEvent.across_organizations.filter(organization=message.organization_id)
    return events.filter(message__in=chain_of(message))


def chain_of(message: Message) -> list[UUID]:
    """The message, those before it that did not arrive, and those that were tried after it; from first to last."""
    with connection.cursor() as cursor:
        cursor.execute(_CHAIN, {"message": message.pk, "longest": LONGEST_CHAIN})
        return [message_id for (message_id,) in cursor.fetchall()]


_CHAIN = """
WITH RECURSIVE earlier AS (
    SELECT id, fallback_of_id FROM message WHERE id = %(message)s
     UNION ALL
    SELECT message.id, message.fallback_of_id FROM message JOIN earlier ON message.id = earlier.fallback_of_id
), later AS (
    SELECT id FROM message WHERE id = %(message)s
     UNION ALL
    SELECT message.id FROM message JOIN later ON message.fallback_of_id = later.id
)
SELECT id FROM (SELECT id FROM earlier UNION SELECT id FROM later) AS chain ORDER BY id LIMIT %(longest)s
"""
