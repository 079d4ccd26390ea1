"""The bell of all webhooks, rung for what somebody listens to."""

import time

from apps.callbacks.models import WebhookEndpoint
from apps.messaging.engine.common_bell import CommonBell

BELL = CommonBell("callbacks", task="callbacks.deliver")
# An endpoint that is new to this process is rung for so much later, or by the sweep.
LISTENERS_KNOWN_SECONDS = 5.0


def ring_if_heard(organization_ids: set[str], **_kwargs: object) -> None:
    """Asked for whatever is published, so most of the time it looks at nothing but its memory."""
    if not _listeners().isdisjoint(organization_ids):
        BELL.ring()


_known_listeners: frozenset[str] = frozenset()
_listeners_known_until = 0.0


def _listeners() -> frozenset[str]:
    """The organizations that have an endpoint, as of a moment ago."""
    global _known_listeners, _listeners_known_until  # noqa: PLW0603 - one memory a process is the point
    if time.monotonic() >= _listeners_known_until:
        enabled = WebhookEndpoint.across_organizations.filter(is_enabled=True)
        _known_listeners = frozenset(map(str, enabled.values_list("organization_id", flat=True).distinct()))
        _listeners_known_until = time.monotonic() + LISTENERS_KNOWN_SECONDS
    return _known_listeners
