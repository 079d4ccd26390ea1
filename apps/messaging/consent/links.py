"""Links by which a person, without a log-in, says what they want: signed, and about themselves alone.

Such a link is a credential: whoever has it may choose for the person. Logs do not show it (apps.core.redaction).
"""

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.core import signing

_SALT = "recado.preferences"
# Mail is kept, and its unsubscribe button must work for long; but nothing works for ever.
VALID_FOR = timedelta(days=400)


def token_of(contact_id: UUID, category: str = "") -> str:
    return signing.dumps([contact_id.hex, category], salt=_SALT)


def read_token(token: str) -> tuple[UUID, str] | None:
    """Whom it is about, and the category of the message that it came with. None if we did not sign it of late."""
    try:
        contact, category = signing.loads(token, salt=_SALT, max_age=VALID_FOR)
        return UUID(str(contact)), str(category)
    except (signing.BadSignature, ValueError, TypeError):
        return None


def preferences_url(contact_id: UUID, category: str = "") -> str:
    return f"{settings.PUBLIC_URL}/p/{token_of(contact_id, category)}"


def one_click_url(contact_id: UUID, category: str = "") -> str:
    """What mail programs call where somebody touches their button (RFC 8058)."""
    return f"{preferences_url(contact_id, category)}/unsubscribe"
