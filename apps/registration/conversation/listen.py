"""What came on accounts that have a flow is noted down, to be worked on: in the transaction in which it came."""

from collections.abc import Sequence
from typing import Any

from django.db import connection

from apps.accounts.models import Organization
from apps.core import clock
from apps.messaging.engine.incoming import Received
from apps.registration.bell import BELL
from apps.registration.models import RegistrationFlow


def note_down(organization: Organization, received: Sequence[Received], **_: Any) -> None:
    accounts = {each.account.id for each in received}
    live = RegistrationFlow.objects.for_organization(organization).filter(is_live=True)
    listening = {
        account
        for (named,) in live.filter(accounts__overlap=list(accounts)).values_list("accounts")
        for account in named
    }
    heard = [each for each in received if each.account.id in listening]
    if not heard:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            _NOTE_DOWN,
            {
                "organization": organization.id,
                "conversations": [each.conversation_id for each in heard],
                "messages": [each.message_id for each in heard],
                "now": clock.now(),
            },
        )
    BELL.ring_on_commit()


# In one order of conversations, as everybody takes their rows. Whoever holds a lease sees by `due_at`, which is
# another with each message, that more has come.
_NOTE_DOWN = """
WITH came AS MATERIALIZED (
    SELECT conversation_id, message_id, n
      FROM unnest(%(conversations)s::uuid[], %(messages)s::uuid[])
           WITH ORDINALITY AS came (conversation_id, message_id, n)
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
