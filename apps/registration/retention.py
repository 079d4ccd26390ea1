"""Registrations outlive their messages; what waits to be heard is not over."""

from collections.abc import Sequence
from uuid import UUID

from apps.accounts.models import Organization
from apps.registration.models import HeardMessage, Turn


def forget(organization: Organization, message_ids: Sequence[UUID]) -> None:
    Turn.objects.for_organization(organization).filter(message_id__in=message_ids).update(message_id=None)


def needed(message_ids: Sequence[UUID]) -> set[UUID]:
    waiting = HeardMessage.objects.filter(message_id__in=message_ids)
    return set(waiting.values_list("message_id", flat=True))
