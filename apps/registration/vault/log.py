"""The access log: written in the transaction of what it tells of, and never changed."""

from collections.abc import Collection, Iterable
from uuid import UUID

import structlog
from django.utils.translation import gettext_lazy

from apps.accounts.models import Organization
from apps.accounts.models.audit_event import ActorKind
from apps.accounts.principal import Actor
from apps.core import clock
from apps.core.api.problems import Problem
from apps.registration.vault.models import Access, Action
from apps.registration.vault.records import AccessRecord

LONGEST_REASON = 200


class ReasonMissing(Problem):
    default_code = "reason_missing"
    default_detail = gettext_lazy("Personal data is shown and changed for a reason only. Say why you need it.")


def checked(reason: str) -> str:
    reason = reason.strip()[:LONGEST_REASON]
    if not reason:
        raise ReasonMissing
    return reason


def entry(
    organization_id: UUID,
    person_id: UUID | None,
    action: Action,
    fields: Iterable[str],
    *,
    actor: Actor,
    reason: str,
) -> Access:
    return Access(
        organization_id=organization_id,
        person_id=person_id,
        at=clock.now(),
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_label=actor.label[:255],
        action=action,
        fields=sorted(fields),
        reason=checked(reason),
        request_id=structlog.contextvars.get_contextvars().get("request_id", ""),
    )


def write(entries: Collection[Access]) -> None:
    Access.across_organizations.bulk_create(entries)


def latest(
    organization: Organization,
    *,
    person_ids: Collection[UUID] | None = None,
    before: UUID | None = None,
    most: int,
) -> list[AccessRecord]:
    """Of these persons or of all, newest first, older than the entry `before`."""
    rows = Access.objects.for_organization(organization).order_by("-id")
    if person_ids is not None:
        rows = rows.filter(person_id__in=person_ids)
    if before is not None:
        rows = rows.filter(pk__lt=before)
    return [_record(row) for row in rows[:most]]


def _record(row: Access) -> AccessRecord:
    return AccessRecord(
        id=row.pk,
        person_id=row.person_id,
        at=row.at,
        actor_kind=ActorKind(row.actor_kind),
        actor_label=row.actor_label,
        action=Action(row.action),
        fields=row.fields,
        reason=row.reason,
        request_id=row.request_id,
    )
