"""Bring people into an organization, change what they may do, and see them out."""

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import NotFound

from apps.accounts import access_changes, audit
from apps.accounts.models import Membership, Organization, Session, User
from apps.accounts.principal import Principal
from apps.accounts.roles import SCOPES_OF, Role, outranks
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
    """A person who is new here gets an account with no password; "forgot password" lets them set one.

    The answer is the same whether they had one: nobody learns from it who uses this installation.
    """
    organization = _locked(principal.organization)
    _check_rank(principal, role)
    email = email.strip().lower()
    if belongs(organization, email):
        raise AlreadyMember
    membership = Membership.across_organizations.create(
        organization=organization, user=_person(email), role=role, name=name
    )
    audit.record(
        principal.actor,
        "member.added",
        membership,
        organization=organization,
        changes={"email": (None, email), "role": (None, role)},
    )
    return membership


def belongs(organization: Organization, email: str) -> bool:
    email = email.strip().lower()
    return Membership.objects.for_organization(organization).filter(user__email=email).exists()


@transaction.atomic
def change_role(principal: Principal, membership: Membership, role: Role) -> Membership:
    membership = _locked_member(principal.organization, membership)
    before = Role(membership.role)
    _check_rank(principal, role)
    _check_rank(principal, before)
    if before != role:
        _check_owner_remains(membership)
        membership.role = role
        membership.save(update_fields=["role"])
        access_changes.announce()
        audit.record(
            principal.actor,
            "member.role_changed",
            membership,
            organization=principal.organization,
            changes={"role": (before, role)},
        )
    return membership


@transaction.atomic
def remove(principal: Principal, membership: Membership) -> None:
    """The person keeps their account; their sessions here end with their next request."""
    membership = _locked_member(principal.organization, membership)
    _check_rank(principal, Role(membership.role))
    _check_owner_remains(membership)
    audit.record(
        principal.actor,
        "member.removed",
        membership,
        organization=principal.organization,
        changes={"role": (membership.role, None)},
    )
    sessions = Session.objects.for_organization(principal.organization)
    sessions.filter(user=membership.user, revoked_at=None).update(revoked_at=clock.now())
    membership.delete()
    access_changes.announce()


def _person(email: str) -> User:
    found = User.objects.filter(email=email).first()
    if found is not None:
        return found
    try:
        with transaction.atomic():
            return User.objects.create_user(email)
    except IntegrityError:  # another organization added the same person this moment
        return User.objects.get(email=email)


def _locked(organization: Organization) -> Organization:
    """Changes to an organization's members happen one after another, or two owners could remove each other."""
    return Organization.objects.select_for_update().get(pk=organization.pk)


def _locked_member(organization: Organization, membership: Membership) -> Membership:
    """As they are now that nobody else can change them, not as they were when the request began."""
    _locked(organization)
    members = Membership.objects.for_organization(organization).select_related("user")
    found = members.filter(pk=membership.pk).first()
    if found is None:
        raise NotFound
    return found


def _check_rank(principal: Principal, role: Role) -> None:
    # An API key has no role of its own: it stops below an owner's, and where its scopes end.
    if outranks(role, principal.role or Role.ADMIN) or not SCOPES_OF[role] <= principal.scopes:
        raise RoleAboveOwn


def _check_owner_remains(leaving: Membership) -> None:
    if leaving.role != Role.OWNER:
        return
    owners = Membership.objects.for_organization(leaving.organization).filter(role=Role.OWNER)
    if not owners.exclude(pk=leaving.pk).exists():
        raise LastOwner
