"""Make and change an organization."""

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from apps.accounts import audit
from apps.accounts.models import Organization
from apps.accounts.principal import Actor, Principal
from apps.core.api.problems import Conflict


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
