"""Routes: what comes in here goes on to there, and what became of it there is told here."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from apps.accounts.models import Organization

if TYPE_CHECKING:
    from apps.messaging.engine.incoming import Received


def forward(organization: Organization, received: Sequence["Received"]) -> None:
    """Every route that one of these falls under takes it on."""
