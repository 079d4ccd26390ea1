"""Reminders outlive their messages: that there was one stays."""

from collections.abc import Sequence
from uuid import UUID

from apps.accounts.models import Organization
from apps.billing.models import Touch


def forget(organization: Organization, message_ids: Sequence[UUID]) -> None:
    touches = Touch.objects.for_organization(organization).filter(message_id__in=message_ids)
    touches.update(message_id=None)
