"""What a message says, in words that no provider owns. Connectors turn it into theirs."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

import orjson

# Of what a person is offered to answer with.
LONGEST_BUTTON_ID = 64
LONGEST_BUTTON_TITLE = 40


class MediaKind(StrEnum):
    IMAGE = "image"
    AUDIO = "audio"
    VIDEO = "video"
    DOCUMENT = "document"


@dataclass(frozen=True, slots=True)
class Media:
    """Something to look at or to listen to, where it lies. The message's text is its caption."""

    kind: MediaKind
    # Empty for a file of ours until the message leaves: links to it last an hour, messages wait for longer.
    url: str
    file_name: str = ""
    media_type: str = ""
    file_id: UUID | None = None
    # In bytes, of a file of ours.
    size: int = 0


@dataclass(frozen=True, slots=True)
class Button:
    """An answer that the person gives by a touch. Its id comes back, its title is what they see."""

    id: str
    title: str


@dataclass(frozen=True, slots=True)
class ProviderTemplate:
    """A text that lies approved at the provider, and what is to be put into it."""

    name: str
    language: str
    # As the provider takes them: WhatsApp's list of components.
    components: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Content:
    """The text is what a person would read, also where a template says it in the provider's own way."""

    text: str = ""
    # Of an e-mail.
    subject: str = ""
    media: Media | None = None
    buttons: tuple[Button, ...] = ()
    template: ProviderTemplate | None = None

    @property
    def is_plain(self) -> bool:
        return not (self.subject or self.media or self.buttons or self.template)


PLAIN = "{}"


def as_document(content: Content) -> dict[str, Any]:
    """Everything but the text, which has a column of its own. Empty where there is nothing else."""
    if content.is_plain:
        return {}
    document: dict[str, Any] = {}
    if content.subject:
        document["subject"] = content.subject
    if content.media is not None:
        media = content.media
        document["media"] = _media_document(media)
    if content.buttons:
        document["buttons"] = [{"id": button.id, "title": button.title} for button in content.buttons]
    if content.template is not None:
        template = content.template
        document["template"] = {
            "name": template.name, "language": template.language, "components": list(template.components),
        }  # fmt: skip
    return document


def from_document(text: str, document: Mapping[str, Any]) -> Content:
    media, template = document.get("media"), document.get("template")
    return Content(
        text,
        document.get("subject", ""),
        media and _media(media),
        tuple(Button(button["id"], button["title"]) for button in document.get("buttons", ())),
        template and ProviderTemplate(template["name"], template["language"], tuple(template["components"])),
    )


def _media_document(media: Media) -> dict[str, Any]:
    document = {
        "kind": media.kind.value,
        "url": media.url,
        "file_name": media.file_name,
        "media_type": media.media_type,
    }
    return document if media.file_id is None else document | {"file_id": str(media.file_id), "size": media.size}


def _media(document: Mapping[str, Any]) -> Media:
    file_id = document.get("file_id")
    return Media(
        MediaKind(document["kind"]),
        document["url"],
        document["file_name"],
        document["media_type"],
        UUID(file_id) if file_id else None,
        document.get("size", 0),
    )


def from_stored(text: str, stored: str) -> Content:
    """As the database hands it out; most messages are nothing but their text."""
    return Content(text) if stored == PLAIN else from_document(text, orjson.loads(stored))
