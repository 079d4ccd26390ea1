"""Change a person's account, for those who run the installation."""

from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.accounts import access_changes, audit
from apps.accounts.models import User
from apps.accounts.principal import Actor
from apps.core.api.problems import Conflict


class LastSuperuser(Conflict):
    default_code = "last_superuser"
    default_detail = _("Nobody else could run this installation. Make another superuser first.")


@transaction.atomic
def change(actor: Actor, user: User, **wanted: Any) -> User:
    """Who is shut out is out at once: whoever keeps connections open is told."""
    superusers = User.objects.select_for_update().filter(is_superuser=True, is_active=True).order_by("pk")
    if wanted.get("is_active") is False and [each.pk for each in superusers] == [user.pk]:
        raise LastSuperuser
    user = User.objects.select_for_update().get(pk=user.pk)
    before = audit.snapshot(user, wanted)
    for name, value in wanted.items():
        setattr(user, name, value)
    changes = audit.difference(before, user)
    if changes:
        user.save(update_fields=list(changes))
        access_changes.announce()
        audit.record(actor, "user.changed", user, organization=None, changes=changes)
    return user
