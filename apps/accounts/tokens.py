"""Access tokens: short-lived JWTs that say who, where, and from which session.

Kept behind these functions, so that REST, WebSocket and gRPC read tokens alike and no other module knows
the library or the keys.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import jwt
from django.conf import settings

from apps.core import clock

ALGORITHM = "HS256"
AUDIENCE = "recado"
REQUIRED = ["exp", "iat", "aud", "session_id", "user_id", "organization_id"]


class InvalidToken(Exception):
    """The token is forged, malformed or expired."""


@dataclass(frozen=True, slots=True)
class Claims:
    user_id: UUID
    organization_id: UUID
    session_id: UUID
    expires_at: datetime


def issue_access_token(user_id: UUID, organization_id: UUID, session_id: UUID) -> str:
    name, key = next(iter(settings.JWT_SIGNING_KEYS.items()))
    now = clock.now()
    claims = {
        "aud": AUDIENCE,
        "iat": now,
        "exp": now + timedelta(seconds=settings.ACCESS_TOKEN_SECONDS),
        "user_id": str(user_id),
        "organization_id": str(organization_id),
        "session_id": str(session_id),
    }
    return jwt.encode(claims, key, ALGORITHM, headers={"kid": name})


def read_access_token(token: str) -> Claims:
    try:
        name = jwt.get_unverified_header(token).get("kid")
        key = settings.JWT_SIGNING_KEYS.get(name) if isinstance(name, str) else None
        if key is None:
            raise InvalidToken("unknown key")
        # The algorithm is ours to choose, never the token's.
        claims = jwt.decode(token, key, [ALGORITHM], audience=AUDIENCE, options={"require": REQUIRED})
        return Claims(
            user_id=UUID(claims["user_id"]),
            organization_id=UUID(claims["organization_id"]),
            session_id=UUID(claims["session_id"]),
            expires_at=datetime.fromtimestamp(claims["exp"], clock.now().tzinfo),
        )
    except (jwt.InvalidTokenError, ValueError, TypeError, AttributeError) as error:
        raise InvalidToken(type(error).__name__) from error
