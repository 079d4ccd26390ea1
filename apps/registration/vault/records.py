"""What leaves the vault. Printed or logged by accident, it shows no value."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from apps.accounts.models.audit_event import ActorKind
from apps.registration.kinds import Kind
from apps.registration.vault.models import Action


@dataclass(frozen=True, slots=True)
class FieldRecord:
    kind: Kind
    # Canonical.
    value: str = field(repr=False)
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class PersonRecord:
    id: UUID
    contact_id: UUID | None
    created_at: datetime
    changed_at: datetime
    keep_until: datetime | None
    # By name.
    values: dict[str, FieldRecord]


@dataclass(frozen=True, slots=True)
class AccessRecord:
    id: UUID
    # None for a search that found nobody.
    person_id: UUID | None
    at: datetime
    actor_kind: ActorKind
    actor_label: str
    action: Action
    fields: list[str]
    reason: str
    request_id: str
