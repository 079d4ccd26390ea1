"""What applications were told, or were to be told, of messages that are kept no longer."""

from collections.abc import Sequence
from uuid import UUID

from django.db import connection

from apps.accounts.models import Organization
from apps.callbacks.erasure import endpoints_of, wait_for_fan_out


def forget(organization: Organization, message_ids: Sequence[UUID]) -> None:
    """Also what has not arrived yet: its words are older than they may be."""
    wait_for_fan_out()
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, {"endpoints": endpoints_of(organization), "messages": list(message_ids)})


# One that is being sent goes too: whoever records it finds that it is not theirs any more.
_FORGET = """
DELETE FROM webhook_delivery AS delivery
 USING (SELECT 'msg_evt_' || id AS event_id FROM message_event WHERE message_id = ANY(%(messages)s)) AS event,
       unnest(%(endpoints)s::uuid[]) AS endpoint (id)
 WHERE delivery.endpoint_id = endpoint.id AND delivery.event_id = event.event_id
"""
