"""Links to the picture of a Pix code, for providers that fetch pictures: whoever has one sees the code.

A code is what the customer was sent anyway; the link names the invoice, so what it shows is the code as it is now.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from uuid import UUID

from django.conf import settings
from django.core.signing import BadSignature, Signer


def picture_url(invoice_id: UUID) -> str:
    token = _signer().sign(urlsafe_b64encode(invoice_id.bytes).decode().rstrip("="))
    return f"{settings.PUBLIC_URL}/pix/{token}.png"


def read_token(token: str) -> UUID | None:
    """None where it is none of ours."""
    try:
        return UUID(bytes=urlsafe_b64decode(f"{_signer().unsign(token)}=="))
    except (BadSignature, ValueError):
        return None


def _signer() -> Signer:
    return Signer(salt="recado.pix_picture", sep="~")
