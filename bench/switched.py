"""Recado's workers, told from one batch to the next how they are watched: so that the same processes, equally warm
and a moment apart, are their own measure."""

from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any

from celery.signals import worker_init
from celery.worker.control import control_command

from celery_app import app

__all__ = ["app"]

_NOTHING = {
    **dict.fromkeys(("claimed", "outcomes", "limited", "breaker_opened", "published"), lambda *_, **__: None),
    "drain": nullcontext,
}
_counting: dict[str, Any] = {}
# What is exported a second after a batch would be at the cost of the next one.
_EXPORT_EVERY_SECONDS = 0.1


@worker_init.connect
def remember(**_: object) -> None:
    # Only once Django is set up.
    from apps.core.tracing import export  # noqa: PLC0415
    from apps.messaging.engine import counted  # noqa: PLC0415

    _counting.update((name, getattr(counted, name)) for name in _NOTHING)
    export.EVERY_SECONDS = _EXPORT_EVERY_SECONDS


@control_command(args=[("counted", bool), ("traced", bool)])
def be_watched(_state: object, *, counted: bool, traced: bool) -> Mapping[str, str]:
    from apps.core import tracing  # noqa: PLC0415
    from apps.messaging.engine import counted as count  # noqa: PLC0415

    for name, counting in _counting.items():
        setattr(count, name, counting if counted else _NOTHING[name])
    tracing.end()
    if traced:
        tracing.begin("bench")
    return {"ok": "so it is"}
