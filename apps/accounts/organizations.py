"""Make and change an organization; suspend it, and lift that."""

from collections.abc import Callable
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from apps.accounts import audit
from apps.accounts.models import Organization
from apps.accounts.principal import Actor, Principal
from apps.core import clock
from apps.core.api.problems import Conflict

_owning: list[Callable[[Organization], bool]] = []
# By its own people. The rest is for whoever runs the installation.
CHANGEABLE = ("name", "slug", "message_retention_days")


class AlreadySuspended(Conflict):
    default_code = "already_suspended"
    default_detail = _("This organization is suspended already. Lift that first to give another reason.")


class NotSuspended(Conflict):
    default_code = "not_suspended"
    default_detail = _("This organization is not suspended.")


class HasData(Conflict):
    default_code = "organization_has_data"
    default_detail = _(
        "This organization has conversations, which are not removed in one go. Suspend it: it keeps its data and "
        "accepts nothing."
    )


class SlugTaken(Conflict):
    default_code = "slug_taken"
    default_detail = _("Another organization has this short name.")


def add(actor: Actor, *, name: str, slug: str) -> Organization:
    """By whoever runs the installation."""
    try:
        with transaction.atomic():
            organization = Organization.objects.create(name=name, slug=slug)
            audit.record(actor, "organization.created", organization, organization=organization)
    except IntegrityError as error:
        raise SlugTaken from error
    return organization


@transaction.atomic
def change(principal: Principal, **wanted: Any) -> Organization:
    """Of CHANGEABLE, what is given."""
    unknown = wanted.keys() - set(CHANGEABLE)
    if unknown:
        raise TypeError(f"not for its own people to change: {sorted(unknown)}")
    return _write(principal.actor, principal.organization, "organization.changed", **wanted)


@transaction.atomic
def set_up(actor: Actor, organization: Organization, **wanted: Any) -> Organization:
    """By whoever runs the installation: what its own people may change, and its quota."""
    if "monthly_quota" in wanted:
        organization = set_quota(actor, organization, wanted.pop("monthly_quota"))
    try:
        with transaction.atomic():
            return _write(actor, organization, "organization.changed", **wanted)
    except IntegrityError as error:
        raise SlugTaken from error


def register_data(owns_some: Callable[[Organization], bool]) -> None:
    """For apps whose rows are too many, or too dear, to go with their organization in one call."""
    _owning.append(owns_some)


def has_data(organization: Organization) -> bool:
    return any(owns_some(organization) for owns_some in _owning)


@transaction.atomic
def remove(actor: Actor, organization: Organization) -> None:
    """With its settings and its trail: that it is gone is told in the installation's. Not with its messages."""
    if has_data(organization):
        raise HasData
    audit.record(actor, "organization.deleted", organization, organization=None)
    organization.delete()


@transaction.atomic
def suspend(actor: Actor, organization: Organization, *, reason: str) -> Organization:
    """From the next request on. What was accepted before still leaves, and nothing is deleted."""
    if _locked(organization).suspended_at is not None:
        raise AlreadySuspended
    return _write(
        actor, organization, "organization.suspended", suspended_at=clock.now(), suspend_reason=reason.strip()
    )


@transaction.atomic
def lift(actor: Actor, organization: Organization) -> Organization:
    if _locked(organization).suspended_at is None:
        raise NotSuspended
    return _write(actor, organization, "organization.lifted", suspended_at=None, suspend_reason="")


@transaction.atomic
def set_quota(actor: Actor, organization: Organization, monthly_quota: int | None) -> Organization:
    """Where it is raised, messages are accepted at once; where that is too little, it is seen in seconds."""
    before = _locked(organization).monthly_quota
    is_raised = before is not None and (monthly_quota is None or monthly_quota > before)
    if is_raised:
        Organization.objects.filter(pk=organization.pk).update(quota_reached_at=None)
    return _write(actor, organization, "organization.quota_changed", monthly_quota=monthly_quota)


def _locked(organization: Organization) -> Organization:
    return Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)


def _write(actor: Actor, organization: Organization, action: str, **wanted: Any) -> Organization:
    """As it is stored now, not as somebody has it in memory."""
    stored = _locked(organization)
    before = audit.snapshot(stored, wanted)
    for name, value in wanted.items():
        setattr(stored, name, value)
    changes = audit.difference(before, stored)
    if changes:
        stored.save(update_fields=list(changes))
        audit.record(actor, action, stored, organization=stored, changes=changes)
    return stored
