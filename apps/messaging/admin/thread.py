"""A conversation as people see it: the messages in bubbles, what the members noted beside them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext as _

from apps.accounts.principal import Principal
from apps.accounts.roles import Scope
from apps.channels.content import Content, Media, from_document
from apps.files.files import thumbnail_link
from apps.files.models import File
from apps.messaging.admin.words import error_in_words
from apps.messaging.models import Conversation, ConversationNote, Message
from apps.messaging.notes import may_erase
from apps.messaging.statuses import Direction, Status

LAST_MESSAGES = 50
LAST_NOTES = 50

# Of Google's symbols, which the admin comes with.
_ICONS: dict[str, str] = {
    Status.QUEUED: "schedule",
    Status.SENDING: "schedule_send",
    Status.SENT: "check",
    Status.DELIVERED: "done_all",
    Status.READ: "done_all",
    Status.FAILED: "error",
    Status.CANCELLED: "block",
    Status.EXPIRED: "timer_off",
}


@dataclass(frozen=True, slots=True)
class Attached:
    """A file of ours."""

    name: str
    size: int
    # Empty where the file was removed, and where there is no thumbnail.
    url: str
    picture: str


@dataclass(frozen=True, slots=True)
class Bubble:
    message: Message
    is_inbound: bool
    icon: str
    file: Attached | None
    # What it holds beside its text, and why it failed.
    more: list[str]
    error: str
    url: str


@dataclass(frozen=True, slots=True)
class Note:
    note: ConversationNote
    may_be_deleted: bool


def bubbles_of(conversation: Conversation) -> list[Bubble]:
    """The last ones, oldest first."""
    newest = Message.across_organizations.filter(conversation=conversation).order_by("-pk")[:LAST_MESSAGES]
    said = [(message, from_document(message.text, message.content)) for message in reversed(newest)]
    files = _files_of(conversation, [content.media for _message, content in said if content.media is not None])
    return [
        Bubble(
            message,
            message.direction == Direction.INBOUND,
            _ICONS.get(message.status, ""),
            _attached(content.media, files),
            list(_more(message, content)),
            error_in_words(message.error_class, message.error_code, message.error_detail),
            reverse("admin:messaging_message_change", args=[message.pk]),
        )
        for message, content in said
    ]


def _files_of(conversation: Conversation, media: list[Media]) -> Mapping[UUID, File]:
    ids = [each.file_id for each in media if each.file_id is not None]
    return File.objects.for_organization(conversation.organization).in_bulk(ids) if ids else {}


def _attached(media: Media | None, files: Mapping[UUID, File]) -> Attached | None:
    if media is None or media.file_id is None:
        return None
    name, file = media.file_name or str(media.kind), files.get(media.file_id)
    if file is None:
        return Attached(name, media.size, "", "")
    small = thumbnail_link(file)
    url = reverse("admin:files_file_download", args=[file.pk])
    return Attached(name, file.size, url, small.url if small else "")


def _more(message: Message, content: Content) -> Iterator[str]:
    if content.subject:
        yield _("Subject: %(subject)s") % {"subject": content.subject}
    if content.media is not None and content.media.file_id is None:
        yield f"{content.media.kind}: {content.media.file_name}".removesuffix(": ")
        if why := message.content["media"].get("error"):
            yield _("It could not be fetched from the provider: %(why)s") % {"why": why}
    if content.template is not None:
        yield _("Template: %(name)s") % {"name": content.template.name}
    for button in content.buttons:
        yield f"[ {button.title} ]"


def notes_on(principal: Principal, conversation: Conversation) -> list[Note]:
    """The last ones, newest first."""
    written = ConversationNote.across_organizations.filter(conversation=conversation).select_related(
        "author__user"
    )
    may_write = principal.may(Scope.MESSAGES_WRITE)
    return [Note(note, may_write and may_erase(principal, note)) for note in written.order_by("-pk")[:LAST_NOTES]]
