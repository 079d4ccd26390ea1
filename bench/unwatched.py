"""Recado's workers as they would be if nothing of what they do were counted."""

from contextlib import nullcontext

from apps.messaging.engine import counted
from celery_app import app

__all__ = ["app"]

for _name in ("claimed", "outcomes", "limited", "breaker_opened", "published"):
    setattr(counted, _name, lambda *_args, **_kwargs: None)
counted.drain = lambda _account: nullcontext()  # type: ignore[return-value]
