"""Files that an organization keeps. Those with bytes are for tests/files/bringing.py."""

from typing import Any

from apps.accounts.models import Organization
from apps.core import clock
from apps.files.models import File

PDF = b"%PDF-1.7 a bill" + bytes(range(256)) * 20


def row(
    organization: Organization,
    size: int,
    name: str = "conta.pdf",
    media_type: str = "application/pdf",
    **values: Any,
) -> File:
    """Of one whose bytes nobody asks for."""
    return File.across_organizations.create(
        organization=organization, name=name, size=size, media_type=media_type, created_at=clock.now(), **values
    )
