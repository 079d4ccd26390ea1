"""An organization with an account at the provider stub, people to write to, and messages that wait.

Filled by SQL, not by accepting: what is measured begins after it. Needs Django.
"""

from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from apps.accounts import api_keys
from apps.accounts.models import Organization
from apps.accounts.principal import Principal
from apps.accounts.roles import Scope
from apps.channels import accounts
from apps.channels.models import ChannelAccount
from apps.core.redis import redis_client
from apps.messaging.engine import bells
from bench.stage import APP_SECRET

CONNECTOR = "whatsapp_cloud"
PHONE_NUMBER_ID = "106540352242922"
TEXT = "Your order is on its way and will be with you today between 14:00 and 16:00."
_TABLES = (
    "delivery, message_event, dead_letter, message, conversation, contact_address, contact, provider_callback, "
    "seen_callback, parked_receipt, message_fallback, idempotency_record"
)


@dataclass(frozen=True)
class Office:
    organization: Organization
    account: ChannelAccount
    api_key: str

    def clear(self) -> None:
        """Nobody may be at work."""
        with connection.cursor() as cursor:
            cursor.execute(f"TRUNCATE {_TABLES} CASCADE")
        redis_client().flushdb()

    def tidy(self) -> None:
        """What the last batch left behind is put away now, and not while the next one is measured."""
        with connection.cursor() as cursor:
            cursor.execute(f"VACUUM (ANALYZE) {_TABLES}")
            cursor.execute("CHECKPOINT")

    def meet(self, count: int) -> None:
        """So many people, with a conversation each."""
        self._run(_MEET, count)

    def pile_up(self, count: int) -> None:
        """So many messages that wait, each in a conversation of its own; nothing but what a claim looks at."""
        self._run(_PILE_UP, count)

    def queue_behind_another(self, count: int) -> None:
        """So many more into one conversation that has a message waiting."""
        self._run(_QUEUE_BEHIND, count)

    def queue(self, count: int, *, traced: float = 0.0) -> None:
        """So many messages, one to each of the people. Their acceptance is published already.

        Of so large a share the trace is kept.
        """
        with transaction.atomic():
            self._run(_QUEUE, count, traced)
            with connection.cursor() as cursor:
                cursor.execute(_PUBLISHED)
                # Not left to the autovacuum, which would come in the middle of what is measured.
                cursor.execute("ANALYZE delivery, message, conversation")

    def ring(self, drains: int = 1) -> None:
        bells.ring(bells.drain_bell(CONNECTOR, self.account.id, slot) for slot in range(drains))

    def _run(self, statement: str, count: int, traced: float = 0.0) -> None:
        values: dict[str, Any] = {
            "organization": self.organization.id,
            "account": self.account.id,
            "count": count,
            "text": TEXT,
            "traced": traced,
        }
        with transaction.atomic(), connection.cursor() as cursor:
            # A million rows take their time, and nobody doubts that they lead to each other.
            cursor.execute("SET LOCAL statement_timeout = 0")
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute(statement, values)
            # The transaction may go on, for what is measured.
            cursor.execute("SET LOCAL session_replication_role = origin")


def open_office(**policy: Any) -> Office:
    """Without limits, unless told otherwise."""
    organization = Organization.objects.create(name="Bench", slug="bench")
    principal = Principal.of_system(organization)
    unlimited = {"rate_per_second": 100_000, "burst": 100_000, "reply_window": "left_to_provider"}
    account = accounts.add(
        principal,
        connector=CONNECTOR,
        name="Bench",
        credentials={
            "phone_number_id": PHONE_NUMBER_ID,
            "access_token": "a-token-of-usual-length",
            "app_secret": APP_SECRET,
        },
        **{**unlimited, "recipient_rate_per_second": None, "recipient_burst": None, **policy},
    )
    _, api_key = api_keys.issue(principal, name="Bench", scopes=Scope.values)
    return Office(organization, account, api_key)


def limit(office: Office, **limits: Any) -> None:
    accounts.change(Principal.of_system(office.organization), office.account, **limits)
    office.account.refresh_from_db()


def address(number: int) -> str:
    """Of the people of `meet`, from 1."""
    return f"+5511{900_000_000 + number}"


_MEET = """
WITH person AS MATERIALIZED (
    SELECT uuidv7() AS contact_id, uuidv7() AS address_id, uuidv7() AS conversation_id,
           '+5511' || (900000000 + n) AS address
      FROM generate_series(1, %(count)s) AS n
), met AS (
    INSERT INTO contact (id, organization_id, name, created_at)
    SELECT contact_id, %(organization)s, '', now() FROM person
), reached AS (
    INSERT INTO contact_address (id, organization_id, contact_id, kind, value)
    SELECT address_id, %(organization)s, contact_id, 'phone', address FROM person
)
INSERT INTO conversation (id, organization_id, account_id, contact_id, address, created_at)
SELECT conversation_id, %(organization)s, %(account)s, contact_id, address, now() FROM person
"""

_WRITE = """
, sampled AS MATERIALIZED (
    SELECT *, CASE WHEN random() < %(traced)s
                   THEN '00-' || md5(id::text) || '-' || right(md5(id::text), 16) || '-01' END AS trace
      FROM wanted
), written AS (
    INSERT INTO message (id, organization_id, account_id, conversation_id, status, text, priority, reference,
                         metadata, expires_at, error_class, error_code, error_detail, created_at, trace)
    SELECT id, %(organization)s, %(account)s, conversation_id, 'queued', %(text)s, 1, '',
           '{}', now() + interval '7 days', '', '', '', now(), trace
      FROM sampled
), queued AS (
    INSERT INTO delivery (message_id, organization_id, account_id, conversation_id, is_head, state, priority,
                          due_at, expires_at, attempt, trace)
    SELECT id, %(organization)s, %(account)s, conversation_id, is_head, 'waiting', 1,
           now(), now() + interval '7 days', 0, trace
      FROM sampled
)
"""

_QUEUE = f"""
WITH wanted AS MATERIALIZED (
    SELECT uuidv7() AS id, conversation.id AS conversation_id, true AS is_head
      FROM conversation
     WHERE account_id = %(account)s
       AND NOT EXISTS (SELECT 1 FROM delivery WHERE delivery.conversation_id = conversation.id)
     LIMIT %(count)s
) {_WRITE}
INSERT INTO message_event (organization_id, message_id, conversation_id, kind, at, attempt, detail)
SELECT %(organization)s, id, conversation_id, 'queued', now(), 0, '{{}}' FROM wanted
"""  # noqa: S608 - of constants

_QUEUE_BEHIND = f"""
WITH wanted AS MATERIALIZED (
    SELECT uuidv7() AS id, chosen.conversation_id, false AS is_head
      FROM generate_series(1, %(count)s) AS n,
           (SELECT conversation_id FROM delivery WHERE account_id = %(account)s AND is_head LIMIT 1) AS chosen
) {_WRITE}
SELECT count(*) FROM wanted
"""  # noqa: S608 - of constants

_PILE_UP = f"""
WITH wanted AS MATERIALIZED (
    SELECT uuidv7() AS id, uuidv7() AS conversation_id, uuidv7() AS contact_id, true AS is_head, n
      FROM generate_series(1, %(count)s) AS n
) {_WRITE}, met AS (
    INSERT INTO contact (id, organization_id, name, created_at)
    SELECT contact_id, %(organization)s, '', now() FROM wanted
)
INSERT INTO conversation (id, organization_id, account_id, contact_id, address, created_at)
SELECT conversation_id, %(organization)s, %(account)s, contact_id, '+5511' || (900000000 + n), now() FROM wanted
"""  # noqa: S608 - of constants

_PUBLISHED = """
UPDATE event_cursor
   SET transaction = pg_current_xact_id(), event_id = (SELECT max(id) FROM message_event)
"""
