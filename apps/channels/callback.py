"""What providers call us with, in words that no provider owns: receipts, and messages of people."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from apps.channels.content import Media
from apps.channels.errors import SendFailed

LONGEST_PROVIDER_ID = 255
# Of all channels; what is longer is cut.
LONGEST_INBOUND_TEXT = 65_536


@dataclass(frozen=True, slots=True)
class Callback:
    """One call, with all that a signature may cover."""

    # Our public address as the provider called it, with its query.
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class ReceiptStatus(StrEnum):
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a provider says became of a message."""

    # Which of our accounts it speaks of, in the provider's words; empty where only that account is called there.
    provider_account: str
    provider_id: str
    status: ReceiptStatus
    at: datetime
    # Our own id, where the provider echoes it.
    message_id: UUID | None = None
    # Why, when it failed.
    error: SendFailed | None = None


@dataclass(frozen=True, slots=True)
class Inbound:
    """What a person wrote to an account."""

    provider_account: str
    provider_id: str
    # Where an answer reaches them: an address of the channel's kind.
    sender: str
    at: datetime
    text: str = field(default="", repr=False)
    # Where it lies, or the provider's own id of it: whoever fetches it asks the connector how.
    media: Media | None = None
    sender_name: str = ""
    # The provider's id of our message that this one answers.
    answers: str = ""
    # The id of the button that was touched.
    button: str = ""


@dataclass(frozen=True, slots=True)
class Moved:
    """A person is reached at another address from now on."""

    provider_account: str
    old: str
    new: str


type CallbackEvent = Receipt | Inbound | Moved


class BadCallback(Exception):
    """A callback that is not in the shape its provider documents."""


def is_storable_id(provider_id: str) -> bool:
    return 0 < len(provider_id) <= LONGEST_PROVIDER_ID and "\0" not in provider_id


def storable_text(text: str) -> str:
    """A person's words as the database can keep them."""
    return text.replace("\0", "").encode(errors="replace").decode()[:LONGEST_INBOUND_TEXT]
