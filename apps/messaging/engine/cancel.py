"""Take back what has not left. What is at the provider cannot be taken back."""

from collections.abc import Collection
from uuid import UUID

from django.db import connection, transaction

from apps.accounts.models import Organization
from apps.messaging.engine import counted, order
from apps.messaging.engine.publisher import publish_soon
from apps.messaging.statuses import Status, before


def cancel(organization: Organization, conversation_id: UUID, message_id: UUID) -> bool:
    """False when it was too late."""
    return bool(cancel_many(organization, [conversation_id], [message_id]))


@transaction.atomic
def cancel_many(
    organization: Organization, conversation_ids: Collection[UUID], message_ids: Collection[UUID]
) -> int:
    """How many were taken back. The conversations are those of the messages."""
    with connection.cursor() as cursor:
        order.lock(cursor, conversation_ids)
        cursor.execute(
            _CANCEL,
            {
                "messages": list(message_ids),
                "organization": organization.id,
                "from": before(Status.CANCELLED),
            },
        )
        ended = cursor.fetchall()
        order.promote(
            cursor, [(conversation, position) for conversation, position, was_head, _ in ended if was_head]
        )
    if ended:
        counted.dropped("cancelled", (connector for *_, connector in ended))
        publish_soon()
    return len(ended)


_CANCEL = """
WITH ended AS (
    DELETE FROM delivery
     WHERE message_id = ANY(%(messages)s) AND organization_id = %(organization)s
       AND state IN ('waiting', 'scheduled')
    RETURNING message_id, organization_id, account_id, conversation_id, position, is_head, attempt, trace
), moved AS (
    UPDATE message SET status = 'cancelled'
      FROM ended
     WHERE message.id = ended.message_id AND message.status = ANY(%(from)s)
), noted AS (
    INSERT INTO message_event (organization_id, message_id, conversation_id, kind, at, attempt, detail, trace)
    SELECT organization_id, message_id, conversation_id, 'cancelled', now(), attempt, '{}', trace FROM ended
)
SELECT conversation_id, position, is_head, account.connector
  FROM ended JOIN channel_account AS account ON account.id = ended.account_id
"""
