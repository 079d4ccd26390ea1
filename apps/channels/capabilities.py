"""What a channel can carry and what it tells us. Declared by connectors, enforced when a message is accepted."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Literal

from django.utils.functional import Promise

from apps.channels.content import MediaKind
from apps.core.limiter import Limit


class AddressKind(StrEnum):
    """What a person is reached by on a channel."""

    PHONE = "phone"
    INSTAGRAM_ID = "instagram_id"
    TELEGRAM_CHAT = "telegram_chat"
    EMAIL = "email"
    URL = "url"


@dataclass(frozen=True, slots=True)
class MediaRule:
    """How a kind of media travels: as large as the provider takes it, and with how many words."""

    most_bytes: int
    longest_caption: int = 0
    # A file of ours is linked to, for the provider to fetch; or handed over within the message.
    by: Literal["link", "upload"] = "link"


@dataclass(frozen=True, slots=True)
class Capabilities:
    address: AddressKind
    longest_text: int
    text_unit: Literal["characters", "bytes"] = "characters"
    has_subject: bool = False
    media: Mapping[MediaKind, MediaRule] = field(default_factory=dict)
    # How many, and how long what is written on them.
    most_buttons: int = 0
    longest_button: int = 0
    # Where a text may be less long with buttons below it.
    longest_text_with_buttons: int | None = None
    # A message can name the one that it answers.
    quotes: bool = False
    # The provider keeps approved templates, which go where texts may not.
    has_templates: bool = False
    # For so long after a person wrote, anything may be sent to them; after that, only templates.
    reply_window: timedelta | None = None
    # People write back, and we hear of it.
    hears_replies: bool = False
    # Every receipt names our message id, so that an unknown outcome is settled by the receipt.
    echoes_our_id: bool = False
    # The provider drops a repetition of the same message id: an unknown outcome is simply sent again.
    sends_are_idempotent: bool = False
    reports_delivered: bool = False
    reports_read: bool = False
    # A message says by itself how to get no more of them (RFC 8058).
    offers_one_click: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """The provider's own limits, which a new account starts with."""

    account: Limit
    recipient: Limit | None = None


@dataclass(frozen=True, slots=True)
class CredentialField:
    """One thing that the provider gave the account's owner. Secret ones are never shown again."""

    name: str
    hint: str | Promise
    is_secret: bool = True
    is_required: bool = True
    # Words for people, in any language; others are ASCII.
    is_text: bool = False
