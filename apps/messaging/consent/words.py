"""Words by which a person leaves, or comes back: STOP, SAIR, PARAR and their like, written as a message."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from apps.accounts.models import Organization

if TYPE_CHECKING:
    from apps.messaging.engine.incoming import Received


def heed(organization: Organization, received: Sequence["Received"]) -> None:
    """Do as they say, and answer once."""
