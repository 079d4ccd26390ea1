"""A ticket opens one connection, within seconds: for browsers, which cannot send headers with a WebSocket.

Redis keeps who it is for, never the credential that it was bought with.
"""

import hashlib
import secrets
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from redis.asyncio import Redis as AsyncRedis

from apps.accounts.tokens import Claims
from apps.core.redis import redis_client
from apps.realtime.identity import Unknown, Way

SECONDS = 30
_LONGEST = 100


def issue(way: Way) -> str:
    ticket = secrets.token_urlsafe(32)
    redis_client().set(_key(ticket), orjson.dumps(_written(way)), ex=SECONDS)
    return ticket


async def redeem(client: AsyncRedis, ticket: str) -> Way:
    """Works once. Raises Unknown."""
    if len(ticket) > _LONGEST:
        raise Unknown
    written: Any = await client.getdel(_key(ticket))
    if written is None:
        raise Unknown
    return _read(orjson.loads(written))


def _key(ticket: str) -> str:
    return f"recado:ticket:{hashlib.sha256(ticket.encode()).hexdigest()}"


def _written(way: Way) -> dict[str, Any]:
    if isinstance(way, UUID):
        return {"api_key_id": way}
    return {
        "session_id": way.session_id,
        "user_id": way.user_id,
        "organization_id": way.organization_id,
        "expires_at": way.expires_at,
    }


def _read(written: dict[str, str]) -> Way:
    if "api_key_id" in written:
        return UUID(written["api_key_id"])
    ids = {name: UUID(written[name]) for name in ("session_id", "user_id", "organization_id")}
    return Claims(**ids, expires_at=datetime.fromisoformat(written["expires_at"]))
