"""Links to files in texts that people read: short, signed, and good for days.

Such a link is a credential: whoever has it may download the file. Logs do not show it (apps.core.redaction).
"""

import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.core.signing import BadSignature, Signer

from apps.core import clock
from apps.files.stores.store import BadLink

# The file's id, and until when: seconds since 1970.
_PAYLOAD = struct.Struct(">16sI")
_LATEST = 2**32 - 1


class LinkExpired(BadLink):
    """A link of ours that was good for long enough."""


def sent_url(file_id: UUID, due_at: datetime) -> str:
    """In a message that is due then."""
    until = (due_at + timedelta(days=settings.FILES_SENT_LINK_DAYS)).timestamp()
    payload = _PAYLOAD.pack(file_id.bytes, min(int(until), _LATEST))
    return f"{settings.PUBLIC_URL}/f/{_signer().sign(urlsafe_b64encode(payload).decode().rstrip('='))}"


def read_token(token: str) -> UUID:
    """Which file it leads to. Raises BadLink, and LinkExpired where it was one."""
    try:
        written = _signer().unsign(token)
        file_id, until = _PAYLOAD.unpack(urlsafe_b64decode(f"{written}="))
    except (BadSignature, ValueError, struct.error) as error:
        raise BadLink("This link was changed, or is none of ours.") from error
    if datetime.fromtimestamp(until, UTC) < clock.now():
        raise LinkExpired("This link has expired. Ask for a new one.")
    return UUID(bytes=file_id)


def _signer() -> Signer:
    return Signer(salt="recado.sent_file", sep=".")
