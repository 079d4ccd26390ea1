"""Files of ours, when messages are accepted: within them where their channels carry that, else as links."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from django.utils.translation import gettext as _

from apps.accounts.models import Organization
from apps.channels.capabilities import Capabilities
from apps.channels.carrying import is_carried, longest_text, text_length, unit_of
from apps.channels.content import Content, Media, MediaKind
from apps.core import clock
from apps.files import files
from apps.files.media_types import kind_of
from apps.files.models import File
from apps.files.sent_links import sent_url
from apps.messaging.engine.new_message import NewMessage, Refused, SendAs


def look_up(organization: Organization, wanted: Sequence[NewMessage]) -> Mapping[UUID, File]:
    """Those that messages of a batch bring, in a fixed number of statements; in none where there are none."""
    return files.use(organization, [file.id for message in wanted if (file := message.wanted_file) is not None])


def say(message: NewMessage, found: Mapping[UUID, File], capabilities: Capabilities) -> Content | Refused:
    """What a message that is no template says on a channel of these capabilities."""
    content, wanted = message.says(), message.wanted_file
    if wanted is None:
        return content
    file = found.get(wanted.id)
    if file is None:
        return Refused("media/file_id", "unknown_file", _("There is no such file."))
    kind = wanted.kind or MediaKind(kind_of(file.media_type))
    media = Media(kind, "", wanted.file_name or file.name, file.media_type, file.id, file.size)
    is_link = wanted.send_as is SendAs.LINK
    if is_link or (wanted.send_as is SendAs.AUTO and not is_carried(capabilities, media)):
        return _with_link(content, sent_url(file.id, message.scheduled_at or clock.now()), capabilities)
    return replace(content, media=media)


def _with_link(content: Content, url: str, capabilities: Capabilities) -> Content | Refused:
    text = f"{content.text}\n{url}" if content.text else url
    longest = longest_text(capabilities, content)
    if text_length(capabilities, text) > longest:
        room = {"most": max(0, longest - len(url) - 1), "unit": unit_of(capabilities)}
        detail = _("The file goes as a link here, beside which there is room for %(most)d %(unit)s.") % room
        return Refused("text", "too_long", detail)
    return replace(content, text=text, media=None)
