"""What people write: into their conversation, once, in the order in which it came.

In the transaction that takes the callback away: all that follows from a message, its event, an answer to STOP, a
route that takes it on, happens with it or not at all.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import orjson
import structlog

from apps.accounts.models import Organization
from apps.channels.addresses import normalized
from apps.channels.callback import Inbound, storable_text
from apps.channels.content import Content, as_document
from apps.channels.models import ChannelAccount
from apps.core import clock
from apps.core.ids import new_id
from apps.core.prepared import prepared_cursor
from apps.messaging import conversations
from apps.messaging.consent import words
from apps.messaging.conversations import Place, Wish
from apps.messaging.engine import counted, fetch_media, forward
from apps.messaging.engine.publisher import publish_soon
from apps.messaging.signals import messages_received
from apps.messaging.statuses import Category, Status

logger = structlog.get_logger(__name__)

LONGEST_NAME = 120


@dataclass(frozen=True, slots=True)
class Received:
    """A message of a person that was not known before."""

    message_id: UUID
    account: ChannelAccount
    conversation_id: UUID
    contact_id: UUID
    sender: str
    content: Content = field(repr=False)
    # The id of the button that was touched.
    button: str = ""
    received_at: datetime = field(default_factory=clock.now)


def take_in(messages: Sequence[tuple[ChannelAccount, Inbound]]) -> list[Received]:
    """Those that were not known before, in their order."""
    by_organization: dict[UUID, list[tuple[ChannelAccount, Inbound]]] = defaultdict(list)
    for account, inbound in messages:
        by_organization[account.organization_id].append((account, inbound))
    organizations = Organization.objects.in_bulk(by_organization)
    received: list[Received] = []
    for organization_id, theirs in by_organization.items():
        received += _take_in(organizations[organization_id], theirs)
    return received


def _take_in(organization: Organization, messages: Sequence[tuple[ChannelAccount, Inbound]]) -> list[Received]:
    wishes = [
        Wish(account.id, normalized(inbound.sender), None, Category.SERVICE) for account, inbound in messages
    ]
    candidates: list[tuple[Received, Inbound]] = []
    for (account, inbound), place in zip(messages, conversations.find_or_open(organization, wishes), strict=True):
        if not isinstance(place, Place):
            logger.warning("inbound_from_nowhere", account_id=str(account.id), code=place.code)
            continue
        candidates.append((_received(account, place, inbound), inbound))
    if not candidates:
        return []
    new = _write(organization, candidates)
    received = [candidate for candidate, _ in candidates if candidate.message_id in new]
    if received:
        counted.received(each.account.connector for each in received)
        fetch_media.want(received)
        words.heed(organization, received)
        forward.forward(organization, received)
        messages_received.send(sender=None, organization=organization, received=received)
        publish_soon()
    return received


def _received(account: ChannelAccount, place: Place, inbound: Inbound) -> Received:
    content = Content(storable_text(inbound.text), media=inbound.media)
    return Received(
        new_id(), account, place.conversation_id, place.contact_id, place.address, content, inbound.button[:255]
    )


def _write(organization: Organization, candidates: Sequence[tuple[Received, Inbound]]) -> set[UUID]:
    """Which of them were new."""
    now = clock.now()
    rows = [
        {
            "n": n,
            "id": received.message_id,
            "account_id": received.account.id,
            "conversation_id": received.conversation_id,
            "contact_id": received.contact_id,
            "provider_id": inbound.provider_id,
            "text": received.content.text,
            "content": _document(received),
            "answers": inbound.answers or None,
            # Their clock may be wrong, but nothing was written later than it came.
            "at": min(inbound.at, now),
            "name": storable_text(inbound.sender_name)[:LONGEST_NAME],
        }
        for n, (received, inbound) in enumerate(candidates)
    ]
    with prepared_cursor() as cursor:
        cursor.execute(
            _WRITE,
            {
                "rows": orjson.dumps(rows).decode(),
                "organization": organization.id,
                "now": now,
                "received": Status.RECEIVED,
                "category": Category.TRANSACTIONAL,
            },
        )
        return {message_id for (message_id,) in cursor.fetchall()}


def _document(received: Received) -> dict[str, object]:
    document = as_document(received.content)
    return document | {"button": received.button} if received.button else document


# A message's life has no end here, so that it expires is only said because the column wants it.
_WRITE = """
WITH came AS MATERIALIZED (
    SELECT *
      FROM json_to_recordset(%(rows)s::json) AS came (
           n int, id uuid, account_id uuid, conversation_id uuid, contact_id uuid, provider_id text, text text,
           content jsonb, answers text, at timestamptz, name text)
), written AS (
    INSERT INTO message (id, organization_id, account_id, conversation_id, direction, status, text, content,
                         category, priority, reference, metadata, expires_at, provider_id, error_class, error_code,
                         error_detail, created_at, reply_to_id, has_fallback)
    SELECT came.id, %(organization)s::uuid, came.account_id, came.conversation_id, 'inbound', %(received)s::text,
           came.text, came.content, %(category)s::text, 1, '', '{}', %(now)s::timestamptz, came.provider_id, '',
           '', '', came.at, answered.id, false
      FROM came
      LEFT JOIN LATERAL (SELECT id
                           FROM message
                          WHERE account_id = came.account_id AND provider_id = came.answers
                            AND conversation_id = came.conversation_id
                          ORDER BY id DESC
                          LIMIT 1) AS answered ON true
     ORDER BY came.n
    ON CONFLICT (account_id, provider_id) WHERE direction = 'inbound' DO NOTHING
    RETURNING id, conversation_id, created_at
), heard AS (
    UPDATE conversation
       SET last_inbound_at = greatest(conversation.last_inbound_at, news.last_at),
           unread_count = conversation.unread_count + news.count,
           closed_at = NULL
      FROM (SELECT conversation_id, max(created_at) AS last_at, count(*) AS count
              FROM written
             GROUP BY conversation_id) AS news
     WHERE conversation.id = news.conversation_id
), named AS (
    UPDATE contact SET name = came.name
      FROM came JOIN written ON written.id = came.id
     WHERE contact.id = came.contact_id AND contact.name = '' AND came.name <> ''
), noted AS (
    INSERT INTO message_event (organization_id, message_id, conversation_id, kind, at, attempt, detail)
    SELECT %(organization)s::uuid, written.id, written.conversation_id, %(received)s::text, written.created_at, 0,
           '{}'
      FROM written JOIN came ON came.id = written.id
     ORDER BY came.n
)
SELECT id FROM written
"""
