"""Take back what has not left. What is at the provider cannot be taken back."""

from uuid import UUID

from django.db import connection, transaction

from apps.accounts.models import Organization
from apps.messaging.engine import order
from apps.messaging.engine.publisher import publish_soon
from apps.messaging.statuses import Status, before


@transaction.atomic
def cancel(organization: Organization, conversation_id: UUID, message_id: UUID) -> bool:
    """False when it was too late."""
    with connection.cursor() as cursor:
        order.lock(cursor, [conversation_id])
        cursor.execute(
            _CANCEL, {"message": message_id, "organization": organization.id, "from": before(Status.CANCELLED)}
        )
        ended = cursor.fetchall()
        order.promote(cursor, [(conversation, position) for conversation, position, was_head in ended if was_head])
    if ended:
        publish_soon()
    return bool(ended)


_CANCEL = """
WITH ended AS (
    DELETE FROM delivery
     WHERE message_id = %(message)s AND organization_id = %(organization)s AND state IN ('waiting', 'scheduled')
    RETURNING message_id, organization_id, conversation_id, position, is_head, attempt
), moved AS (
    UPDATE message SET status = 'cancelled'
      FROM ended
     WHERE message.id = ended.message_id AND message.status = ANY(%(from)s)
), noted AS (
    INSERT INTO message_event (organization_id, message_id, conversation_id, kind, at, attempt, detail)
    SELECT organization_id, message_id, conversation_id, 'cancelled', now(), attempt, '{}' FROM ended
)
SELECT conversation_id, position, is_head FROM ended
"""
