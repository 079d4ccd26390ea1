"""The ways that a message may take after its first one, looked up when it is accepted: fallback.py takes them."""

from collections.abc import Mapping, Sequence
from typing import Any

from apps.accounts.models import Organization
from apps.messaging.conversations import Place, Unplaced
from apps.messaging.engine.new_message import NewMessage, Refused


def resolve(
    organization: Organization, wanted: Sequence[NewMessage], places: Sequence[Place | Unplaced]
) -> Mapping[int, tuple[Mapping[str, Any], ...] | Refused]:
    """Of those that name any, as they are kept."""
    return {}
