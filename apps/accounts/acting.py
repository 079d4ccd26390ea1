"""In whose name somebody works in the admin.

A superuser works on the whole installation. Everybody else works in one organization at a time, with the
scopes of their role there: the same that their tokens have.
"""

from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpRequest

from apps.accounts.models import Membership, Organization, User
from apps.accounts.principal import Principal

CHOSEN = "organization_id"
# By which lists are narrowed, in their address.
ORGANIZATION = "organization"


def acting_user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


def acting_principal(request: HttpRequest) -> Principal | None:
    """The member's side of the request's user; none for superusers and strangers. Looked up once a request."""
    if not hasattr(request, "_acting_principal"):
        membership = _chosen_membership(request)
        request._acting_principal = membership and Principal.of_membership(membership)  # type: ignore[attr-defined]
    principal: Principal | None = request._acting_principal  # type: ignore[attr-defined]
    return principal


def principal_for(request: HttpRequest, organization: Organization) -> Principal:
    """Who acts on something of this organization, which the caller has already been found allowed to see."""
    return acting_principal(request) or Principal.of_superuser(acting_user(request), organization)


def organizations_of(request: HttpRequest) -> list[UUID]:
    """Those whose things are looked for: one's own; for a superuser the one that a list is narrowed to, or all."""
    principal = acting_principal(request)
    if principal is not None:
        return [principal.organization.id]
    try:
        return [UUID(request.GET.get(ORGANIZATION, ""))]
    except ValueError:
        return list(Organization.objects.values_list("pk", flat=True))


def memberships_of(user: User) -> QuerySet[Membership]:
    """The oldest first: being added somewhere else changes nothing for a person."""
    return Membership.across_organizations.filter(user=user).select_related("organization", "user").order_by("pk")


def choose(request: HttpRequest, organization_id: UUID) -> bool:
    """Work in this organization from now on, if the person belongs to it."""
    belongs = memberships_of(acting_user(request)).filter(organization=organization_id).exists()
    if belongs:
        request.session[CHOSEN] = str(organization_id)
    return belongs


def _chosen_membership(request: HttpRequest) -> Membership | None:
    user = request.user
    if not isinstance(user, User) or not user.is_active or user.is_superuser:
        return None
    memberships = memberships_of(user)
    chosen = request.session.get(CHOSEN)
    return (memberships.filter(organization=chosen).first() if chosen else None) or memberships.first()
