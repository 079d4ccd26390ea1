"""Change an organization."""

from django.db import transaction

from apps.accounts import audit
from apps.accounts.models import Organization
from apps.accounts.principal import Principal


@transaction.atomic
def change(principal: Principal, *, name: str, slug: str | None = None) -> Organization:
    organization = Organization.objects.select_for_update().get(pk=principal.organization.pk)
    before = audit.snapshot(organization, ["name", "slug"])
    organization.name = name
    organization.slug = slug or organization.slug
    changes = audit.difference(before, organization)
    if changes:
        organization.save(update_fields=list(changes))
        audit.record(
            principal.actor, "organization.changed", organization, organization=organization, changes=changes
        )
    return organization
