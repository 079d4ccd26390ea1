"""What an organization may keep and for how long: read and changed by those who may change the organization."""

from typing import Any

from django.db import transaction

from apps.accounts import audit
from apps.accounts.models import Organization
from apps.accounts.principal import Principal
from apps.files.limits import locked_policy
from apps.files.models import StoragePolicy

CHANGEABLE = ("largest_bytes", "most_bytes", "keep_days", "unused_days")


def policy_of(organization: Organization) -> StoragePolicy:
    """Not written down yet where nothing was ever stored."""
    found = StoragePolicy.objects.for_organization(organization).first()
    return found or StoragePolicy(organization=organization)


@transaction.atomic
def change(principal: Principal, **wanted: Any) -> StoragePolicy:
    policy = locked_policy(principal.organization.id)
    before = audit.snapshot(policy, wanted)
    for name, value in wanted.items():
        setattr(policy, name, value)
    if changes := audit.difference(before, policy):
        policy.save(update_fields=list(changes))
        audit.record(
            principal.actor, "storage_policy.changed", policy, organization=principal.organization, changes=changes
        )
    return policy
