"""Who is asking: a user or an API key, in one organization, with what they may do there."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from apps.accounts.models import ApiKey, InstallationKey, Membership, Organization, User
from apps.accounts.models.audit_event import ActorKind
from apps.accounts.roles import SCOPES, SCOPES_OF, Role, Scope


@dataclass(frozen=True, slots=True)
class Actor:
    """Who the audit trail names."""

    kind: ActorKind
    id: UUID | None
    label: str


SYSTEM = Actor(ActorKind.SYSTEM, None, "Recado")


@dataclass(frozen=True, slots=True)
class Principal:
    organization: Organization
    scopes: frozenset[Scope]
    actor: Actor
    # A user's role; an API key has none.
    role: Role | None = None
    # When this way in ends; nothing that it makes may outlive it.
    expires_at: datetime | None = None

    @classmethod
    def of_membership(cls, membership: Membership) -> "Principal":
        role = Role(membership.role)
        return cls(membership.organization, SCOPES_OF[role], actor_of(membership.user), role)

    @classmethod
    def of_superuser(cls, user: User, organization: Organization) -> "Principal":
        """Whoever runs the installation, at work for one of its organizations."""
        return cls(organization, SCOPES_OF[Role.OWNER], actor_of(user), Role.OWNER)

    @classmethod
    def of_system(cls, organization: Organization) -> "Principal":
        """Recado itself: commands and periodic tasks."""
        return cls(organization, SCOPES_OF[Role.OWNER], SYSTEM, Role.OWNER)

    @classmethod
    def of_api_key(cls, key: ApiKey) -> "Principal":
        known = frozenset(SCOPES[scope] for scope in key.scopes if scope in SCOPES)
        return cls(key.organization, known, Actor(ActorKind.API_KEY, key.id, str(key)), expires_at=key.expires_at)

    @property
    def is_authenticated(self) -> bool:
        """Django and its libraries ask this of whoever a request is from."""
        return True

    def may(self, scope: Scope) -> bool:
        return scope in self.scopes


@dataclass(frozen=True, slots=True)
class Operator:
    """Whoever runs the installation, as a program of theirs: in no organization, and with no say in any."""

    actor: Actor

    @classmethod
    def of_key(cls, key: InstallationKey) -> "Operator":
        return cls(Actor(ActorKind.API_KEY, key.id, str(key)))

    @property
    def is_authenticated(self) -> bool:
        return True


def actor_of(user: User) -> Actor:
    return Actor(ActorKind.USER, user.id, user.email)
