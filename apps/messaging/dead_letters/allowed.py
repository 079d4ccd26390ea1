"""Whether an organization may have its dead letters tried again: one that is suspended sends nothing anew."""

from rest_framework.exceptions import PermissionDenied

from apps.accounts.barred import SUSPENDED, suspension
from apps.accounts.models import Organization


def check_sends(organization: Organization) -> None:
    """As it is now, not as somebody has it in memory. Raises PermissionDenied, which says why."""
    now = Organization.objects.filter(pk=organization.pk, suspended_at__isnull=False).first()
    if now is not None:
        raise PermissionDenied(suspension(now.suspend_reason), code=SUSPENDED)
