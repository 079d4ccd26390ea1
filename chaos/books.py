"""What the database says became of the messages of some accounts."""

import time
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import psycopg

from chaos.verdict import Ending

_PATIENCE_SECONDS = 30.0


class Books:
    """Each question over a connection of its own, asked again while PostgreSQL is away: scenarios restart it."""

    def __init__(self, url: str) -> None:
        self._url = url

    def unfinished(self, accounts: Sequence[str]) -> int:
        return self._count("SELECT count(*) FROM delivery WHERE account_id = ANY(%s::uuid[])", accounts)

    def unread_callbacks(self) -> int:
        return self._count("SELECT count(*) FROM provider_callback")

    def in_flight(self, accounts: Sequence[str]) -> set[str]:
        """At the provider, under a lease."""
        return {message for (message,) in self._ask(_IN_FLIGHT, accounts)}

    def endings(self, accounts: Sequence[str]) -> dict[str, Ending]:
        """By the message's id."""
        return {row[0]: Ending(*row[1:]) for row in self._ask(_ENDINGS, accounts)}

    def sent_at(self, account: str) -> list[datetime]:
        return [at for (at,) in self._ask(_SENT_AT, [account])]

    def events(self, accounts: Sequence[str]) -> list[int]:
        """In the order in which they are published."""
        return [event for (event,) in self._ask(_EVENTS, accounts)]

    def conversations(self, accounts: Sequence[str]) -> list[str]:
        return [conversation for (conversation,) in self._ask(_CONVERSATIONS, accounts)]

    def events_by_conversation(self, accounts: Sequence[str]) -> dict[str, list[int]]:
        """In the order in which they are published."""
        return dict(self._ask(_EVENTS_BY_CONVERSATION, accounts))

    def written_twice(self, accounts: Sequence[str]) -> int:
        """Messages whose story tells a status twice."""
        return self._count(_WRITTEN_TWICE, accounts)

    def most_attempts(self, accounts: Sequence[str]) -> int:
        return self._count(_MOST_ATTEMPTS, accounts)

    def unknown_outcomes(self, accounts: Sequence[str]) -> Counter[str]:
        """How often nobody could say whether the provider had a message, and why."""
        return Counter(dict(self._ask(_UNKNOWN_OUTCOMES, accounts)))

    def written_by(self, accounts: Sequence[str]) -> list[tuple[str, str]]:
        """What people wrote, each with their address, in the order of the conversation."""
        return [(address, text) for address, text in self._ask(_WRITTEN_BY, accounts)]

    def end_pause(self, account: str) -> None:
        """As its owner does, where no web process answers."""
        with psycopg.connect(self._url) as connection:
            connection.execute(
                "UPDATE channel_account SET paused_at = NULL, paused_until = NULL, version = version + 1 "
                "WHERE id = %s::uuid", [account]
            )  # fmt: skip

    def cut_connections(self) -> None:
        """All but this one."""
        self._ask("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                  "WHERE datname = current_database() AND pid <> pg_backend_pid()")  # fmt: skip

    def _count(self, statement: str, accounts: Sequence[str] | None = None) -> int:
        ((count,),) = self._ask(statement, accounts)
        return int(count or 0)

    def _ask(self, statement: str, accounts: Sequence[str] | None = None) -> list[tuple[Any, ...]]:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                with psycopg.connect(self._url, connect_timeout=2) as connection:
                    parameters = None if accounts is None else [list(accounts)]
                    return connection.execute(statement.encode(), parameters).fetchall()
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)


_WRITTEN_BY = """
SELECT conversation.address, message.text
  FROM message JOIN conversation ON conversation.id = message.conversation_id
 WHERE message.direction = 'inbound' AND message.account_id = ANY(%s::uuid[])
 ORDER BY message.id
"""

_IN_FLIGHT = """
SELECT message_id::text FROM delivery WHERE state = 'sending' AND account_id = ANY(%s::uuid[])
"""

_ENDINGS = """
SELECT message.id::text, message.status, dead_letter.state = 'open',
       (SELECT count(*)
          FROM message_event AS event
         WHERE event.message_id = message.id
           AND event.kind = 'retrying' AND event.detail ->> 'error' = 'outcome_unknown')
  FROM message LEFT JOIN dead_letter ON dead_letter.message_id = message.id
 WHERE message.account_id = ANY(%s::uuid[])
"""

_SENT_AT = """
SELECT event.at
  FROM message_event AS event JOIN message ON message.id = event.message_id
 WHERE message.account_id = ANY(%s::uuid[]) AND event.kind = 'sent'
"""

_EVENTS = """
SELECT event.id
  FROM message_event AS event JOIN message ON message.id = event.message_id
 WHERE message.account_id = ANY(%s::uuid[])
 ORDER BY event.transaction, event.id
"""

_CONVERSATIONS = """
SELECT DISTINCT conversation_id::text FROM message WHERE account_id = ANY(%s::uuid[])
"""

_EVENTS_BY_CONVERSATION = """
SELECT message.conversation_id::text, array_agg(event.id ORDER BY event.transaction, event.id)
  FROM message_event AS event JOIN message ON message.id = event.message_id
 WHERE message.account_id = ANY(%s::uuid[])
 GROUP BY message.conversation_id
"""

_WRITTEN_TWICE = """
SELECT count(*)
  FROM (SELECT 1
          FROM message_event AS event JOIN message ON message.id = event.message_id
         WHERE message.account_id = ANY(%s::uuid[])
           AND event.kind IN ('queued', 'sent', 'delivered', 'read', 'failed', 'cancelled', 'expired')
         GROUP BY event.message_id, event.kind
        HAVING count(*) > 1) AS twice
"""

_MOST_ATTEMPTS = """
SELECT max(attempts)
  FROM (SELECT count(*) AS attempts
          FROM message_event AS event JOIN message ON message.id = event.message_id
         WHERE message.account_id = ANY(%s::uuid[]) AND event.kind = 'sending'
         GROUP BY event.message_id) AS each
"""

_UNKNOWN_OUTCOMES = """
SELECT concat_ws(' ', event.detail ->> 'code', event.detail ->> 'detail'), count(*)
  FROM message_event AS event JOIN message ON message.id = event.message_id
 WHERE message.account_id = ANY(%s::uuid[])
   AND event.kind IN ('unknown', 'retrying', 'failed') AND event.detail ->> 'error' = 'outcome_unknown'
   -- A wait that ended without a receipt was counted when it began.
   AND event.detail ->> 'code' <> 'no_receipt'
 GROUP BY 1
"""
