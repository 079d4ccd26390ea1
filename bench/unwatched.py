"""Recado's workers as they would be if nothing of what they do were counted."""

from contextlib import nullcontext

from celery.signals import worker_init

from celery_app import app

__all__ = ["app"]

_NOTHING = dict.fromkeys(("claimed", "outcomes", "limited", "breaker_opened", "published"), lambda *_, **__: None)


@worker_init.connect
def count_nothing(**_: object) -> None:
    # Only once Django is set up.
    from apps.messaging.engine import counted  # noqa: PLC0415

    for name, nothing in {**_NOTHING, "drain": nullcontext}.items():
        setattr(counted, name, nothing)
