"""Conversations by what happened in them last: no index knows that, so it is read from the latest messages."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from apps.accounts.models import Organization
from apps.channels.models import ChannelAccount
from apps.core.prepared import prepared_cursor
from apps.messaging.contacts import reached_at
from apps.messaging.models import Conversation, Message

LOOKED_AT = 2000


@dataclass(frozen=True, slots=True)
class Recent:
    conversation: Conversation
    last_message: Message | None


def recent(organization: Organization, *, most: int, before: UUID | None = None) -> list[Recent]:
    """Of the organization's latest messages, the last active first. `before` is a message: those behind it."""
    return _read(_OF_THE_LATEST, organization, most, before, looked_at=LOOKED_AT)


def with_address(
    organization: Organization, address: str, *, most: int, before: UUID | None = None
) -> list[Recent]:
    """All that there are with whoever is reached there, however long ago."""
    return _read(_WITH_CONTACTS, organization, most, before, contacts=reached_at([organization.id], address))


def _read(statement: str, organization: Organization, most: int, before: UUID | None, **more: Any) -> list[Recent]:
    with prepared_cursor() as cursor:
        cursor.execute(
            statement,
            {"organization": organization.id, "before": before, "most": most, **more},
        )
        return [_recent(row) for row in cursor.fetchall()]


def _recent(row: tuple[Any, ...]) -> Recent:
    conversation_id, account_id, connector, contact_id, address, closed_at, created_at, *last = row
    conversation = Conversation(
        id=conversation_id,
        account=ChannelAccount(id=account_id, connector=connector),
        contact_id=contact_id,
        address=address,
        closed_at=closed_at,
        created_at=created_at,
    )
    names = ("id", "text", "status", "created_at")
    return Recent(conversation, Message(**dict(zip(names, last, strict=True))) if last[0] else None)


# MATERIALIZED, and LATERAL for one row each: so it reads as many messages as it looks at and no more, whatever the
# planner thinks of the tables.
_PAGE_OF_CANDIDATES = """
WITH candidate AS MATERIALIZED (
    SELECT candidates
), page AS MATERIALIZED (
    SELECT conversation_id, message_id
      FROM candidate
     WHERE %(before)s::uuid IS NULL OR message_id < %(before)s::uuid
     ORDER BY message_id DESC NULLS LAST
     LIMIT %(most)s
)
SELECT conversation.id, conversation.account_id, account.connector, conversation.contact_id, conversation.address,
       conversation.closed_at, conversation.created_at, last.id, last.text, last.status, last.created_at
  FROM page
  JOIN LATERAL (SELECT id, account_id, contact_id, address, closed_at, created_at
                  FROM conversation
                 WHERE id = page.conversation_id AND organization_id = %(organization)s
                 LIMIT 1) AS conversation ON true
  JOIN LATERAL (SELECT connector
                  FROM channel_account
                 WHERE id = conversation.account_id
                 LIMIT 1) AS account ON true
  LEFT JOIN LATERAL (SELECT id, text, status, created_at
                       FROM message
                      WHERE id = page.message_id
                      LIMIT 1) AS last ON true
 ORDER BY page.message_id DESC NULLS LAST
"""

_OF_THE_LATEST = _PAGE_OF_CANDIDATES.replace(
    "SELECT candidates",
    """
    SELECT DISTINCT ON (conversation_id) conversation_id, id AS message_id
      FROM (SELECT conversation_id, id
              FROM message
             WHERE organization_id = %(organization)s
             ORDER BY id DESC
             LIMIT %(looked_at)s) AS latest
     ORDER BY conversation_id, id DESC
    """,
)

_WITH_CONTACTS = _PAGE_OF_CANDIDATES.replace(
    "SELECT candidates",
    """
    SELECT conversation.id AS conversation_id, last.id AS message_id
      FROM conversation
      LEFT JOIN LATERAL (SELECT id
                           FROM message
                          WHERE conversation_id = conversation.id
                          ORDER BY id DESC
                          LIMIT 1) AS last ON true
     WHERE conversation.organization_id = %(organization)s AND conversation.contact_id = ANY(%(contacts)s)
    """,
)
