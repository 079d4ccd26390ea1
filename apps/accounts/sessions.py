"""Log a person in for programs, keep them in, and put them out."""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, QuerySet

from apps.accounts import access_changes, audit
from apps.accounts.models import Membership, Session, User
from apps.accounts.principal import actor_of
from apps.accounts.tokens import Claims, issue_access_token
from apps.core import clock

SECRET_BYTES = 32

logger = structlog.get_logger(__name__)


class SessionEnded(Exception):
    """The refresh token is unknown, expired, revoked or was used before."""


@dataclass(frozen=True, slots=True)
class TokenPair:
    access: str
    refresh: str


@dataclass(frozen=True, slots=True)
class Access:
    token: str
    session_id: UUID


@transaction.atomic
def open_session(membership: Membership) -> TokenPair:
    session = Session(organization=membership.organization, user=membership.user)
    pair = _next_pair(session)
    audit.record(
        actor_of(membership.user), "session.opened", membership.user, organization=membership.organization
    )
    return pair


@transaction.atomic
def access_for(membership: Membership, session_id: UUID | None) -> Access:
    """For a page in a browser, which keeps no refresh token: from this session while it is live, else a new one.

    Its session lives as long as a browser's, which asks again.
    """
    parties = {"user": membership.user_id, "organization": membership.organization_id}
    if session_id is None or not _live_sessions().filter(pk=session_id, **parties).exists():
        session_id = _open_without_refresh(membership)
    return Access(issue_access_token(membership.user_id, membership.organization_id, session_id), session_id)


def refresh(token: str) -> TokenPair:
    """A new pair for the current refresh token; the one before it ends the session for everybody."""
    session_id, secret = _split(token)
    with transaction.atomic():
        session = _live_sessions().select_for_update(of=["self"]).filter(pk=session_id).first()
        if session is None:
            raise SessionEnded
        if _fits(session.digest, secret):
            if not _memberships(session.user_id, session.organization_id).exists():
                raise SessionEnded
            return _next_pair(session)
        if not _fits(session.previous_digest, secret):
            raise SessionEnded  # a guess, which must not put out whoever it is a guess at
        _revoke(_live_sessions().filter(pk=session_id))
    # After the transaction, which an exception inside it would have undone.
    logger.warning("refresh_token_reused", session_id=str(session_id), user_id=str(session.user_id))
    raise SessionEnded


@transaction.atomic
def close_session(session_id: UUID) -> None:
    session = _live_sessions().select_related("user", "organization").filter(pk=session_id).first()
    if session is not None:
        _revoke(_live_sessions().filter(pk=session_id))
        audit.record(actor_of(session.user), "session.closed", session.user, organization=session.organization)


def close_sessions_of(user: User) -> None:
    _revoke(_live_sessions().filter(user=user))


def membership_behind(claims: Claims) -> Membership | None:
    """Who an access token speaks for, in one query: the member, unless they left or the session ended."""
    session = _live_sessions().filter(
        pk=claims.session_id, user=claims.user_id, organization=claims.organization_id
    )
    members = _memberships(claims.user_id, claims.organization_id).filter(Exists(session))
    return members.select_related("organization", "user").first()


def memberships_behind(claims: Sequence[Claims]) -> dict[UUID, Membership]:
    """The same for many, in two queries. By the session; those that speak for nobody are missing."""
    live = _live_sessions().filter(pk__in={claim.session_id for claim in claims})
    sessions = {session.id: (session.user_id, session.organization_id) for session in live}
    people, organizations = ({parties[n] for parties in sessions.values()} for n in (0, 1))
    members = Membership.across_organizations.filter(
        user__in=people, organization__in=organizations, user__is_active=True
    ).select_related("organization", "user")
    by_parties = {(member.user_id, member.organization_id): member for member in members}
    return {
        claim.session_id: by_parties[parties]
        for claim in claims
        if (parties := (claim.user_id, claim.organization_id)) in by_parties
        and sessions.get(claim.session_id) == parties
    }


def _open_without_refresh(membership: Membership) -> UUID:
    now = clock.now()
    session = Session.across_organizations.create(
        organization=membership.organization,
        user=membership.user,
        # Of a secret that nobody has.
        digest=_digest(secrets.token_urlsafe(SECRET_BYTES)),
        refreshed_at=now,
        expires_at=now + timedelta(seconds=settings.SESSION_COOKIE_AGE),
    )
    audit.record(
        actor_of(membership.user), "session.opened", membership.user, organization=membership.organization
    )
    return session.id


def _next_pair(session: Session) -> TokenPair:
    now = clock.now()
    secret = secrets.token_urlsafe(SECRET_BYTES)
    session.previous_digest, session.digest = session.digest, _digest(secret)
    session.refreshed_at = now
    session.expires_at = now + timedelta(days=settings.REFRESH_TOKEN_DAYS)
    session.save()
    access = issue_access_token(session.user_id, session.organization_id, session.id)
    return TokenPair(access=access, refresh=f"{session.id.hex}.{secret}")


def _split(token: str) -> tuple[UUID, str]:
    session_id, _, secret = token.partition(".")
    try:
        return UUID(hex=session_id), secret
    except ValueError as error:
        raise SessionEnded from error


def _fits(digest: bytes | memoryview | None, secret: str) -> bool:
    return digest is not None and hmac.compare_digest(bytes(digest), _digest(secret))


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _live_sessions() -> QuerySet[Session]:
    return Session.across_organizations.filter(revoked_at=None, expires_at__gt=clock.now())


def _memberships(user_id: UUID, organization_id: UUID) -> QuerySet[Membership]:
    return Membership.across_organizations.filter(user=user_id, organization=organization_id, user__is_active=True)


def _revoke(sessions: QuerySet[Session]) -> None:
    sessions.update(revoked_at=clock.now())
    access_changes.announce()
