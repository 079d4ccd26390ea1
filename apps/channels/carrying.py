"""Whether a channel can carry what is asked of it. Said before a message is queued, not after."""

from dataclasses import dataclass
from math import ceil

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.channels.capabilities import Capabilities
from apps.channels.content import Content, Media

_MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class CannotCarry:
    """`field` is what is wrong, `code` is for programs, `detail` says what to do."""

    field: str
    code: str
    detail: str


def text_length(capabilities: Capabilities, text: str) -> int:
    return len(text.encode()) if capabilities.text_unit == "bytes" else len(text)


def unit_of(capabilities: Capabilities) -> str:
    return _("bytes") if capabilities.text_unit == "bytes" else _("characters")


def longest_text(capabilities: Capabilities, content: Content) -> int:
    with_buttons = capabilities.longest_text_with_buttons if content.buttons else None
    return capabilities.longest_text if with_buttons is None else with_buttons


def is_carried(capabilities: Capabilities, media: Media) -> bool:
    """Of such a kind and size, whatever is said about it."""
    rule = capabilities.media.get(media.kind)
    return rule is not None and media.size <= rule.most_bytes


def why_not(capabilities: Capabilities, content: Content, *, is_reply: bool = False) -> CannotCarry | None:
    """None where it can."""
    if content.template is not None:
        return None  # what it says was looked at when it was approved
    longest = longest_text(capabilities, content)
    if content.media is None and text_length(capabilities, content.text) > longest:
        return CannotCarry("text", "too_long", _too_long(capabilities, longest))
    if content.subject and not capabilities.has_subject:
        return CannotCarry("subject", "not_carried", _("This channel knows no subject. Leave it out."))
    if is_reply and not capabilities.quotes:
        return CannotCarry("reply_to", "not_carried", _("On this channel no message can answer another one."))
    return _media(capabilities, content.text, content.media) or _buttons(capabilities, content)


def _media(capabilities: Capabilities, caption: str, media: Media | None) -> CannotCarry | None:
    if media is None:
        return None
    rule = capabilities.media.get(media.kind)
    if rule is None:
        known = ", ".join(sorted({"text", *capabilities.media}))
        detail = _("This channel carries: %(known)s.") % {"known": known}
        return CannotCarry("media/kind", "not_carried", detail + _or_as_link(media))
    if media.size > rule.most_bytes:
        sizes = {"most": rule.most_bytes // _MEGABYTE, "size": ceil(media.size / _MEGABYTE)}
        detail = _("This channel carries at most %(most)d MB of this kind, and the file has %(size)d.") % sizes
        return CannotCarry("media/file_id", "too_large", detail + _or_as_link(media))
    if text_length(capabilities, caption) > rule.longest_caption:
        if not rule.longest_caption:
            return CannotCarry("text", "not_carried", _("Here no text goes with it. Send it as another message."))
        return CannotCarry("text", "too_long", _too_long(capabilities, rule.longest_caption))
    return None


def _or_as_link(media: Media) -> str:
    """A file of ours can always be linked to."""
    return "" if media.file_id is None else " " + _("Let it go as a link in the text: send_as.")


def _buttons(capabilities: Capabilities, content: Content) -> CannotCarry | None:
    if not content.buttons:
        return None
    if not capabilities.most_buttons:
        return CannotCarry("buttons", "not_carried", _("This channel has no buttons."))
    if len(content.buttons) > capabilities.most_buttons:
        most = capabilities.most_buttons
        detail = ngettext("At most %(most)d button here.", "At most %(most)d buttons here.", most) % {"most": most}
        return CannotCarry("buttons", "max_length", detail)
    for n, button in enumerate(content.buttons):
        if len(button.title) > capabilities.longest_button:
            detail = _("At most %(most)d characters.") % {"most": capabilities.longest_button}
            return CannotCarry(f"buttons/{n}/title", "max_length", detail)
    return None


def _too_long(capabilities: Capabilities, most: int) -> str:
    return _("This channel carries at most %(most)d %(unit)s.") % {"most": most, "unit": unit_of(capabilities)}
