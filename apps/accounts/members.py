"""Bring people into an organization, change what they may do, and see them out."""

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.accounts import audit
from apps.accounts.models import Membership, Organization, Session, User
from apps.accounts.principal import Principal
from apps.accounts.roles import Role, outranks
from apps.core import clock
from apps.core.api.problems import Conflict, Problem


class RoleAboveOwn(Problem):
    status_code = 403
    default_code = "role_above_own"
    default_detail = _("You cannot give, change or take away a role above your own.")


class LastOwner(Conflict):
    default_code = "last_owner"
    default_detail = _("An organization keeps at least one owner. Make somebody else an owner first.")


class AlreadyMember(Conflict):
    default_code = "already_member"
    default_detail = _("This person is a member already.")


@transaction.atomic
def add(principal: Principal, *, email: str, role: Role, name: str = "") -> Membership:
    """A person who is new here gets an account with no password; "forgot password" lets them set one."""
    organization = _locked(principal.organization)
    _check_rank(principal, role)
    email = email.strip().lower()
    user = User.objects.filter(email=email).first() or User.objects.create_user(email, name=name)
    if belongs(organization, email):
        raise AlreadyMember
    membership = Membership.across_organizations.create(organization=organization, user=user, role=role)
    audit.record(
        principal.actor,
        "member.added",
        membership,
        organization=organization,
        changes={"email": (None, user.email), "role": (None, role)},
    )
    return membership


def belongs(organization: Organization, email: str) -> bool:
    email = email.strip().lower()
    return Membership.objects.for_organization(organization).filter(user__email=email).exists()


@transaction.atomic
def change_role(principal: Principal, membership: Membership, role: Role) -> Membership:
    organization = _locked(principal.organization)
    membership.refresh_from_db()
    before = Role(membership.role)
    _check_rank(principal, role)
    _check_rank(principal, before)
    if before != role:
        _check_owner_remains(organization, membership)
        membership.role = role
        membership.save(update_fields=["role"])
        audit.record(
            principal.actor,
            "member.role_changed",
            membership,
            organization=organization,
            changes={"role": (before, role)},
        )
    return membership


@transaction.atomic
def remove(principal: Principal, membership: Membership) -> None:
    """The person keeps their account; their sessions here end with their next request."""
    organization = _locked(principal.organization)
    _check_rank(principal, Role(membership.role))
    _check_owner_remains(organization, membership)
    audit.record(
        principal.actor,
        "member.removed",
        membership,
        organization=organization,
        changes={"role": (membership.role, None)},
    )
    sessions = Session.objects.for_organization(organization).filter(user=membership.user, revoked_at=None)
    sessions.update(revoked_at=clock.now())
    membership.delete()


def _locked(organization: Organization) -> Organization:
    """Changes to an organization's members happen one after another, or two owners could remove each other."""
    return Organization.objects.select_for_update().get(pk=organization.pk)


def _check_rank(principal: Principal, role: Role) -> None:
    # An API key has no role of its own: what its scopes allow stops below an owner's.
    if outranks(role, principal.role or Role.ADMIN):
        raise RoleAboveOwn


def _check_owner_remains(organization: Organization, leaving: Membership) -> None:
    if leaving.role != Role.OWNER:
        return
    owners = Membership.objects.for_organization(organization).filter(role=Role.OWNER).exclude(pk=leaving.pk)
    if not owners.exists():
        raise LastOwner
