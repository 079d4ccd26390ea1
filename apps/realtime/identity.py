"""Who is at the other end of a connection, and whether they still may be."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from apps.accounts import api_keys, standing
from apps.accounts.authentication import LONGEST_CREDENTIAL
from apps.accounts.principal import Principal
from apps.accounts.roles import Scope
from apps.accounts.tokens import Claims, InvalidToken, read_access_token

type Way = Claims | UUID
"""How somebody came in: with an access token, or with the API key that has this id."""


class Unknown(Exception):
    """The credential is forged, expired or revoked."""


@dataclass(frozen=True, slots=True)
class Guest:
    organization_id: UUID
    # None for an API key.
    user_id: UUID | None
    scopes: frozenset[Scope]
    expires_at: datetime | None
    way: Way

    def may(self, scope: Scope) -> bool:
        return scope in self.scopes


def read_credential(credential: str, *, keys: bool = True) -> Claims | str:
    """An access token's claims, or the text of an API key. Raises Unknown. Asks nobody."""
    if not credential or len(credential) > LONGEST_CREDENTIAL or not credential.isascii():
        raise Unknown
    if credential.startswith(f"{api_keys.MARK}_"):
        if keys:
            return credential
        raise Unknown
    try:
        return read_access_token(credential)
    except InvalidToken as error:
        raise Unknown from error


def guests_behind(ways: Sequence[Way | str]) -> list[Guest | None]:
    """Of many at once: claims, ids of API keys and texts of API keys. None for those who are nobody."""
    claims = [way for way in ways if isinstance(way, Claims)]
    ids = [way for way in ways if isinstance(way, UUID)]
    members = standing.of_sessions(claims) if claims else {}
    keys = standing.of_api_keys(ids) if ids else {}
    return [_guest_behind(way, members, keys) for way in ways]


def who_has_gone(guests: Iterable[Guest]) -> set[Way]:
    """The ways that are closed by now."""
    ways = list({guest.way for guest in guests})
    found = guests_behind(ways)
    return {
        way for way, guest in zip(ways, found, strict=True) if guest is None or not guest.may(Scope.MESSAGES_READ)
    }


def _guest_behind(way: Way | str, members: dict[UUID, Principal], keys: dict[UUID, Principal]) -> Guest | None:
    if isinstance(way, Claims):
        principal = members.get(way.session_id)
        return _guest(principal, way, user_id=way.user_id, expires_at=way.expires_at) if principal else None
    if isinstance(way, UUID):
        principal = keys.get(way)
        return _guest(principal, way, expires_at=principal.expires_at) if principal else None
    key = api_keys.recognize(way)
    if key is None:
        return None
    return _guest(Principal.of_api_key(key), key.id, expires_at=key.expires_at)


def _guest(principal: Principal, way: Way, **rest: Any) -> Guest:
    values = {"user_id": None, **rest}
    return Guest(principal.organization.id, scopes=principal.scopes, way=way, **values)
