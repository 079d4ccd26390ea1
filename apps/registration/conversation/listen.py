"""What came where a flow listens is noted down, to be worked on: in the transaction in which it came."""

from collections.abc import Sequence
from typing import Any

from django.db import connection

from apps.accounts.models import Organization
from apps.core import clock
from apps.messaging.engine.incoming import Received
from apps.registration.bell import BELL


def note_down(organization: Organization, received: Sequence[Received], **_: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            _NOTE_DOWN,
            {
                "organization": organization.id,
                "accounts": [each.account.id for each in received],
                "conversations": [each.conversation_id for each in received],
                "messages": [each.message_id for each in received],
                "now": clock.now(),
            },
        )
        if cursor.rowcount:
            BELL.ring_on_commit()


# Whoever is in the middle of a registration is heard, though its flow was stopped or has left the account.
# In one order of conversations, as everybody takes their rows. Whoever holds a lease sees by `due_at`, which is
# another with each message, that more has come.
_NOTE_DOWN = """
WITH came AS MATERIALIZED (
    SELECT conversation_id, message_id, n
      FROM unnest(%(accounts)s::uuid[], %(conversations)s::uuid[], %(messages)s::uuid[])
           WITH ORDINALITY AS came (account_id, conversation_id, message_id, n)
     WHERE EXISTS (SELECT 1
                     FROM registration_flow
                    WHERE organization_id = %(organization)s AND is_live AND came.account_id = ANY(accounts))
        OR EXISTS (SELECT 1
                     FROM registration
                    WHERE registration.conversation_id = came.conversation_id AND ended_at IS NULL)
), talk AS (
    INSERT INTO registration_talk (id, organization_id, conversation_id, due_at)
    SELECT uuidv7(), %(organization)s, conversation_id, %(now)s
      FROM (SELECT DISTINCT conversation_id FROM came ORDER BY conversation_id) AS one
    ON CONFLICT (conversation_id) DO UPDATE SET due_at = clock_timestamp()
    RETURNING id, conversation_id
)
INSERT INTO registration_heard_message (talk_id, message_id)
SELECT talk.id, came.message_id FROM came JOIN talk USING (conversation_id) ORDER BY came.n
"""
