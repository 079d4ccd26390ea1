"""Callbacks of providers: believed or not, and written down before they are answered. receive.py works on them."""

import hashlib
from collections.abc import Sequence
from enum import StrEnum
from typing import LiteralString
from uuid import UUID
from zlib import crc32

import structlog
from django.db import connection

from apps.channels.callback import BadCallback, Callback
from apps.channels.connector import CalledAt, Connector
from apps.channels.models import ChannelAccount
from apps.channels.registry import connector
from apps.core import clock
from apps.messaging.engine import bells
from apps.messaging.models import SeenCallback

logger = structlog.get_logger(__name__)

# What one after the other is worked on in; so many may be at work at once.
LANES = 8
# In one callback: Meta's, which are the largest, hold no more.
MOST_NEWS = 1000
# Of ours that a callback may be for; each has its signature looked at.
MOST_ACCOUNTS = 100
_LONGEST_URL = 2000


class Stored(StrEnum):
    YES = "yes"
    # The same bytes were taken before. Whoever repeats them, provider or attacker, changes nothing.
    AGAIN = "again"
    # No account of ours has the secret that signed them.
    NOT_OURS = "not_ours"


def store(name: str, callback: Callback, account_id: UUID | None = None) -> Stored:
    """`account_id` where the address that was called names it. Raises BadCallback."""
    provider = connector(name)
    named = _named(provider, name, callback, account_id)
    verified = [account.id for account in named if provider.verify_callback(callback, account.credential_values)]
    if not verified:
        return Stored.NOT_OURS
    # What cannot be read now cannot be read later: it is refused, and takes no room.
    if sum(1 for _event in provider.events_of(callback)) > MOST_NEWS:
        raise BadCallback("too much at once")
    if not _write(name, provider, callback, verified):
        logger.info("callback_repeated", connector=name)
        return Stored.AGAIN
    bells.ring([bells.receive_bell(lane_of(account)) for account in verified])
    return Stored.YES


def lane_of(account_id: UUID) -> int:
    return crc32(account_id.bytes) % LANES


def _named(
    provider: Connector, name: str, callback: Callback, account_id: UUID | None
) -> Sequence[ChannelAccount]:
    if account_id is not None and provider.called_at is CalledAt.ACCOUNT:
        return _accounts("id = %s", name, account_id)
    if account_id is None and provider.called_at is CalledAt.CONNECTOR:
        names = provider.accounts_of(callback)
        if len(names) > MOST_NEWS:
            raise BadCallback("too much at once")
        return _accounts("provider_account = ANY(%s)", name, list(names))
    return []


def _accounts(condition: LiteralString, connector_name: str, value: object) -> Sequence[ChannelAccount]:
    """In words of our own: building a query set takes three times as long as asking the database.

    The oldest first: nobody is pushed out by those who name their number after them.
    """
    return list(
        ChannelAccount.across_organizations.raw(
            f"SELECT id, credentials FROM channel_account WHERE connector = %s AND {condition}"  # noqa: S608
            " ORDER BY id LIMIT %s",
            [connector_name, value, MOST_ACCOUNTS],
        )
    )


def _write(name: str, provider: Connector, callback: Callback, accounts: Sequence[UUID]) -> bool:
    """False where all of it was there."""
    body, url = provider.storable(callback), callback.url[:_LONGEST_URL]
    # A provider that calls one address for all signs the body alone: any query may stand behind it.
    signed_url = callback.url if provider.called_at is CalledAt.ACCOUNT else ""
    digests = [_digest(account, signed_url, callback.body) for account in accounts]
    with connection.cursor() as cursor:
        cursor.execute(
            _STORE,
            {"accounts": list(accounts), "digests": digests, "lanes": [lane_of(account) for account in accounts],
             "connector": name, "url": url, "body": body, "now": clock.now()},
        )  # fmt: skip
        written: int = cursor.rowcount
    return written > 0


def _digest(account: UUID, url: str, body: bytes) -> bytes:
    digest = hashlib.blake2b(account.bytes, digest_size=16)
    digest.update(url.encode())
    digest.update(b"\0")
    digest.update(body)
    return digest.digest()


_STORE = f"""
WITH new AS (
    INSERT INTO {SeenCallback._meta.db_table} (digest, seen_at)
    SELECT digest, %(now)s FROM unnest(%(digests)s::bytea[]) AS digest
    ON CONFLICT (digest) DO NOTHING
    RETURNING digest
)
INSERT INTO provider_callback (connector, account_id, lane, url, body, received_at, failures)
SELECT %(connector)s, given.account_id, given.lane, %(url)s, %(body)s, %(now)s, 0
  FROM unnest(%(accounts)s::uuid[], %(lanes)s::smallint[], %(digests)s::bytea[])
       AS given (account_id, lane, digest)
  JOIN new USING (digest)
"""  # noqa: S608 - of constants
