"""Write down who changed what, in the transaction that changes it."""

from collections.abc import Iterable, Mapping
from typing import Any

import structlog
from django.db import models

from apps.accounts.models import AuditEvent, Organization
from apps.accounts.principal import Actor

# Shown to nobody, not even in the trail.
SECRET_FIELDS = frozenset({"password", "digest", "body", "credentials"})


def record(
    actor: Actor,
    action: str,
    target: models.Model,
    *,
    organization: Organization | None,
    changes: Mapping[str, tuple[Any, Any]] | None = None,
) -> AuditEvent:
    """`action` is `<thing>.<verb>`, such as `api_key.revoked`; `changes` is field → (before, after)."""
    context = structlog.contextvars.get_contextvars()
    return AuditEvent.across_organizations.create(
        organization=organization,
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_label=actor.label[:255],
        action=action,
        target_kind=target._meta.model_name or "",
        target_id=target.pk,
        target_label=str(target)[:255],
        changes={name: [_plain(value) for value in pair] for name, pair in (changes or {}).items()},
        request_id=context.get("request_id", ""),
        ip=context.get("ip") or None,
    )


def snapshot(instance: models.Model, fields: Iterable[str]) -> dict[str, Any]:
    return {name: getattr(instance, name) for name in fields}


def difference(before: Mapping[str, Any], instance: models.Model) -> dict[str, tuple[Any, Any]]:
    """What changed since the snapshot; of a secret, only that it changed."""
    changes = {}
    for name, old in before.items():
        new = getattr(instance, name)
        if old != new:
            changes[name] = ("[hidden]", "[hidden]") if name in SECRET_FIELDS else (old, new)
    return changes


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple | set | frozenset):
        return sorted(map(str, value))
    return str(value)
