"""What is asked for, and the answer: the words in which the rest of Recado speaks to accept.py."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from apps.channels.content import Content, MediaKind
from apps.messaging.conversations import Place
from apps.messaging.statuses import Category, Priority


@dataclass(frozen=True, slots=True)
class WantedTemplate:
    """By name; the published version, in the person's language or the organization's, where these are not said."""

    name: str
    variables: dict[str, Any] = field(default_factory=dict)
    language: str = ""
    version: int | None = None


class SendAs(StrEnum):
    """How a file of ours travels."""

    # Within the message where the channel carries it, else as a link.
    AUTO = "auto"
    ATTACHMENT = "attachment"
    LINK = "link"


@dataclass(frozen=True, slots=True)
class WantedFile:
    """One of the organization's. What is not said of it, its own row says."""

    id: UUID
    kind: MediaKind | None = None
    file_name: str = ""
    send_as: SendAs = SendAs.AUTO


@dataclass(frozen=True, slots=True)
class Step:
    """The next way to try: an account, or whichever account of a channel; to the same person."""

    account_id: UUID | None = None
    channel: str = ""
    # Where the person is reached there, where it is not known.
    to: str = ""
    # In other words than the message's own template has.
    template: WantedTemplate | None = None


@dataclass(frozen=True, slots=True)
class NewMessage:
    """What is asked for: either an account and an address, or a conversation that exists."""

    # Empty where a template says it.
    text: str = ""
    account_id: UUID | None = None
    to: str | None = None
    conversation_id: UUID | None = None
    content: Content | None = None
    file: WantedFile | None = None
    template: WantedTemplate | None = None
    # What goes instead, where the time to reply is over.
    template_fallback: WantedTemplate | None = None
    # Our id of the message that it answers.
    reply_to: UUID | None = None
    category: str = Category.TRANSACTIONAL
    priority: int = Priority.NORMAL
    scheduled_at: datetime | None = None
    expires_at: datetime | None = None
    fallback: tuple[Step, ...] = ()
    # Seconds within which it must be delivered, or the next way is tried.
    delivered_within: int | None = None
    reference: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)
    # Who is asked, just before it leaves, whether it still may, and about what (guards.py).
    guard: str = ""
    guard_key: UUID | None = None
    # Set by the engine alone.
    forwarded_from: UUID | None = None
    fallback_of: UUID | None = None

    def says(self) -> Content:
        """Where it is no template."""
        return self.content or Content(self.text)

    @property
    def wanted_file(self) -> WantedFile | None:
        """The one that it names, or that the message brought which it is made of."""
        if self.file is not None or self.content is None or self.content.media is None:
            return self.file
        media = self.content.media
        return WantedFile(media.file_id, media.kind, media.file_name) if media.file_id else None


@dataclass(frozen=True, slots=True)
class Accepted:
    id: UUID
    place: Place
    wanted: NewMessage
    content: Content
    expires_at: datetime
    created_at: datetime
    category: str = Category.TRANSACTIONAL
    template_id: UUID | None = None
    # What goes where the time to reply is over when it leaves.
    outside_window: Content | None = None
    # As message_fallback keeps them.
    steps: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """`field` is what is wrong, `code` is for programs, `detail` says what to do."""

    field: str
    code: str
    detail: str
    # Seconds after which the same message may be accepted.
    retry_after: float | None = None


type Answer = Accepted | Refused
