"""Words that are not kept any longer: those of messages whose time is over, or of somebody who is erased."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from apps.accounts.erasure import ERASED
from apps.accounts.models import Organization
from apps.core.deadlocks import tried_again
from apps.files import files
from apps.files.models import File, Upload
from apps.messaging.engine import cancel, media_ended, order
from apps.messaging.models import FetchState, MediaFetch, Message
from apps.messaging.statuses import Direction

REDACTED = "[redacted]"
# A message is forwarded, and the forward goes another way: so far it is followed.
_LONGEST_CHAIN = 20


@dataclass(frozen=True, slots=True)
class _Standing:
    """A message that is to be redacted, or what was made of one, and whether it has ended."""

    asked_id: UUID
    id: UUID
    conversation_id: UUID
    is_under_way: bool


@tried_again
@transaction.atomic
def redact(message_ids: Collection[UUID]) -> set[UUID]:
    """Those of them of which nothing is left that says anything: no forward, no other way that was tried, no file.

    What is still on its way, or whose file is, keeps its words until then. Nothing of the others is sent any more:
    no other way is tried, and what failed is not tried again.
    """
    given: dict[str, Any] = {"ids": list(message_ids), "longest": _LONGEST_CHAIN}
    with connection.cursor() as cursor:
        cursor.execute(_MADE_OF, given)
        held = {conversation_id for _, conversation_id in cursor.fetchall()}
        order.lock(cursor, held)
        # Once more: until then another way may have been taken, into a conversation that is not held.
        cursor.execute(_STANDING, given)
        standing = [_Standing(*row) for row in cursor.fetchall()]
        ended = {each.id for each in standing if not each.is_under_way and each.conversation_id in held}
        erase_files(ended)
        cursor.execute(_REDACT, {"ids": list(ended), "said": REDACTED})
    return set(message_ids) - {each.asked_id for each in standing if each.id not in ended}


def erase_messages(organization: Organization, message_ids: Sequence[UUID]) -> Counter[str]:
    """All that they say, and all that was made of them: forwards, other ways, files. What was done is counted.

    For some at a time. It can be repeated: what is gone already is passed over.
    """
    for upload_id in _fetches(message_ids):
        # First, and by itself: it tells the store, while nothing is locked.
        media_ended.give_up(upload_id, "erased", "")
    return _erase(organization, message_ids)


def _fetches(message_ids: Sequence[UUID]) -> list[UUID]:
    pending = [FetchState.WAITING, FetchState.FETCHED]
    fetches = MediaFetch.across_organizations.filter(pk__in=message_ids, state__in=pending)
    return list(fetches.values_list("upload_id", flat=True))


@dataclass(frozen=True, slots=True)
class _Made:
    """A message, or what was made of one."""

    id: UUID
    conversation_id: UUID


@tried_again
@transaction.atomic
def _erase(organization: Organization, message_ids: Sequence[UUID]) -> Counter[str]:
    with connection.cursor() as cursor:
        cursor.execute(_MADE_OF, {"ids": list(message_ids), "longest": _LONGEST_CHAIN})
        made = [_Made(*row) for row in cursor.fetchall()]
        ids = [each.id for each in made]
        conversations = {each.conversation_id for each in made}
        order.lock(cursor, conversations)
        done = Counter(cancelled=cancel.cancel_many(organization, conversations, ids))
        cursor.execute(_NEVER_AGAIN, [ids])
        done["under_way"] = cursor.rowcount
        done["files"] = erase_files(message_ids)
        cursor.execute(_ERASE, {"ids": ids, "said": ERASED})
        names = ("messages", "fallbacks", "events", "dead_letters", "receipts", "fetches")
        done.update(dict(zip(names, cursor.fetchone(), strict=True)))
    return done


def erase_files(message_ids: Collection[UUID]) -> int:
    """What the person sent. What they were sent is the organization's own, and may have gone to many."""
    sent = Message.across_organizations.filter(pk__in=message_ids, direction=Direction.INBOUND)
    with_file = sent.filter(content__media__file_id__isnull=False)
    named = with_file.values_list("content__media__file_id", "organization")
    owners = {UUID(file_id): organization_id for file_id, organization_id in named}
    found = File.across_organizations.filter(pk__in=owners)
    own = [file for file in found if file.organization_id == owners[file.pk]]
    gone = files.forget(own) if own else []
    fetches = MediaFetch.across_organizations.filter(pk__in=message_ids).values_list("upload_id", flat=True)
    uploads = Upload.across_organizations.filter(pk__in=[*fetches, *(upload.id for upload in gone)])
    uploads.update(name="", error_detail="")
    transaction.on_commit(partial(files.remove_bytes, gone))
    return len(gone)


_MADE = """
WITH RECURSIVE made (asked_id, id, conversation_id, step) AS (
    SELECT id, id, conversation_id, 0 FROM message WHERE id = ANY(%(ids)s::uuid[])
     UNION
    SELECT made.asked_id, next.id, next.conversation_id, made.step + 1
      FROM made,
           LATERAL (SELECT id, conversation_id FROM message WHERE forwarded_from_id = made.id
                     UNION ALL
                    SELECT id, conversation_id FROM message WHERE fallback_of_id = made.id) AS next
     WHERE made.step < %(longest)s
)
"""

_MADE_OF = f"{_MADE} SELECT DISTINCT id, conversation_id FROM made"  # noqa: S608 - of constants

_STANDING = f"""
{_MADE}
SELECT asked_id, id, conversation_id,
       EXISTS (SELECT 1 FROM delivery WHERE delivery.message_id = made.id)
       OR EXISTS (SELECT 1
                    FROM media_fetch
                   WHERE media_fetch.message_id = made.id AND state IN ('waiting', 'fetched'))
  FROM made
"""  # noqa: S608 - of constants

_REDACT = """
WITH ways AS (
    DELETE FROM message_fallback WHERE message_id = ANY(%(ids)s::uuid[])
), rested AS (
    UPDATE dead_letter
       SET state = 'discarded', discard_reason = %(said)s, error_detail = '', changed_at = now()
     WHERE message_id = ANY(%(ids)s::uuid[]) AND state = 'open'
), quoted AS (
    -- Whoever refuses a text may say it again.
    UPDATE message_event SET detail = detail - 'detail' - 'answer'
     WHERE message_id = ANY(%(ids)s::uuid[]) AND detail ?| '{detail,answer}'
), unsaid AS (
    UPDATE dead_letter SET error_detail = ''
     WHERE message_id = ANY(%(ids)s::uuid[]) AND state <> 'open' AND error_detail <> ''
)
UPDATE message SET text = %(said)s, content = '{}', has_fallback = false, error_detail = ''
 WHERE id = ANY(%(ids)s::uuid[]) AND (text <> %(said)s OR content <> '{}' OR error_detail <> '')
"""

# It is at the provider, or nobody knows: should it come back, it has expired.
_NEVER_AGAIN = """
UPDATE delivery SET expires_at = least(expires_at, now())
 WHERE message_id = ANY(%s::uuid[]) AND state IN ('sending', 'unknown')
"""

# What the provider calls a message goes too: on some channels that is made of the person's address. An error keeps
# its class and its code; its words may be anybody's.
_ERASE = """
WITH receipts AS (
    DELETE FROM parked_receipt
     USING message
     WHERE message.id = ANY(%(ids)s::uuid[]) AND parked_receipt.account_id = message.account_id
       AND parked_receipt.provider_id = message.provider_id
    RETURNING 1
), messages AS (
    UPDATE message
       SET text = %(said)s, content = '{}', metadata = '{}', reference = '', provider_id = NULL, error_detail = '',
           has_fallback = false
     WHERE id = ANY(%(ids)s::uuid[])
       AND (text <> %(said)s OR content <> '{}' OR metadata <> '{}' OR reference <> '' OR provider_id IS NOT NULL
            OR error_detail <> '' OR has_fallback)
    RETURNING 1
), fallbacks AS (
    DELETE FROM message_fallback WHERE message_id = ANY(%(ids)s::uuid[]) RETURNING 1
), events AS (
    UPDATE message_event SET detail = detail - 'detail' - 'answer'
     WHERE message_id = ANY(%(ids)s::uuid[]) AND detail ?| '{detail,answer}'
    RETURNING 1
), dead_letters AS (
    UPDATE dead_letter
       SET state = CASE state WHEN 'open' THEN 'discarded' ELSE state END, error_detail = '', discard_reason = '',
           changed_at = now()
     WHERE message_id = ANY(%(ids)s::uuid[]) AND (state = 'open' OR error_detail <> '' OR discard_reason <> '')
    RETURNING 1
), fetches AS (
    DELETE FROM media_fetch WHERE message_id = ANY(%(ids)s::uuid[]) RETURNING 1
)
SELECT (SELECT count(*) FROM messages), (SELECT count(*) FROM fallbacks), (SELECT count(*) FROM events),
       (SELECT count(*) FROM dead_letters), (SELECT count(*) FROM receipts), (SELECT count(*) FROM fetches)
"""
