"""Which dead letters somebody means."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from apps.accounts.models import Organization
from apps.messaging.models import DeadLetter, DeadLetterState


@dataclass(frozen=True, slots=True)
class Selection:
    """Which of the open ones: what is not said does not matter."""

    ids: Sequence[UUID] | None = None
    account_id: UUID | None = None
    error_class: str | None = None
    error_code: str | None = None
    created_before: datetime | None = None
    # Whether they were tried again before, and failed again.
    failed_again: bool | None = None

    def of(self, organization: Organization) -> QuerySet[DeadLetter]:
        wanted: dict[str, Any] = {
            "pk__in": self.ids,
            "account": self.account_id,
            "error_class": self.error_class,
            "error_code": self.error_code,
            "created_at__lt": self.created_before,
        }
        given = {name: value for name, value in wanted.items() if value is not None}
        if self.failed_again is not None:
            given["replays__gt" if self.failed_again else "replays"] = 0
        letters = DeadLetter.objects.for_organization(organization)
        return letters.filter(state=DeadLetterState.OPEN, **given)

    def in_words(self) -> dict[str, tuple[None, Any]]:
        """For the trail; ids are only counted."""
        said = {
            "ids": None if self.ids is None else len(self.ids),
            "account_id": self.account_id,
            "error_class": self.error_class,
            "error_code": self.error_code,
            "created_before": self.created_before,
            "failed_again": self.failed_again,
        }
        return {name: (None, value) for name, value in said.items() if value is not None}
