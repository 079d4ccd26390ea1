"""Who still has a way in: asked for many at once by those who keep connections open."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from apps.accounts import api_keys
from apps.accounts.models import ApiKey
from apps.accounts.principal import Principal
from apps.accounts.sessions import memberships_behind
from apps.accounts.tokens import Claims


def of_sessions(claims: Sequence[Claims]) -> dict[UUID, Principal]:
    """By the session: those whose token still speaks for a member."""
    return {session: Principal.of_membership(member) for session, member in memberships_behind(claims).items()}


def of_api_keys(ids: Iterable[UUID]) -> dict[UUID, Principal]:
    keys = ApiKey.across_organizations.filter(pk__in=list(ids)).select_related("organization")
    return {key.id: Principal.of_api_key(key) for key in keys if api_keys.is_live(key)}
