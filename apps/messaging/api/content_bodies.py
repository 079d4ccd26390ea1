"""What a message's body says it is: text, media, buttons, a template; and the other ways to send it."""

import re
from collections.abc import Mapping
from typing import Any

import orjson
from django.utils.translation import gettext as _

from apps.channels.addresses import LONGEST as LONGEST_ADDRESS
from apps.channels.content import (
    LONGEST_BUTTON_ID,
    LONGEST_BUTTON_TITLE,
    Button,
    Content,
    Media,
    MediaKind,
)
from apps.channels.registry import NAMES
from apps.core.addresses import TargetRefused, check_url
from apps.messaging.api import values
from apps.messaging.api.mistake import Mistake
from apps.messaging.api.values import Wrong
from apps.messaging.engine.new_message import NewMessage, SendAs, Step, WantedFile, WantedTemplate
from apps.messaging.statuses import Category

LONGEST_URL = 2000
LONGEST_FILE_NAME = 200
LONGEST_SUBJECT = 255
MOST_BUTTONS = 13
MOST_STEPS = 5
MEDIA_KINDS = [kind.value for kind in MediaKind]
LARGEST_VARIABLES = 16_384
# Of one message: it says what it is in one of these ways.
SAYING = ("text", "media", "template")
_CATEGORY = re.compile(r"[a-z][a-z0-9_]{0,39}")
_MEDIA_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,60}/[a-z0-9!#$&^_.+-]{1,60}")
_NOT_IN_A_NAME = re.compile(r"[\x00-\x1f\x7f/\\]")


def as_message(read: dict[str, Any]) -> NewMessage:
    if isinstance(read.get("media"), WantedFile):
        read["file"] = read.pop("media")
    parts = {name: read.pop(name) for name in ("subject", "media", "buttons") if name in read}
    if not parts:
        return NewMessage(**read)
    return NewMessage(content=Content(read.get("text", ""), **parts), **read)


def missing_content(given: Mapping[str, object]) -> list[Mistake]:
    """A text, media with or without one, or a template: one of these, and a template alone."""
    named = [name for name in SAYING if given.get(name) is not None]
    if not named and "text" not in given:
        detail = _("Give a text, media or a template.")
        return [Mistake("text", "required", detail)]
    if "template" in named:
        others = [name for name in ("text", "media", "buttons", "subject") if given.get(name) is not None]
        if others:
            detail = _("A template says all of it. Leave out: %(names)s.") % {"names": ", ".join(others)}
            return [Mistake("template", "conflicting", detail)]
    return []


def subject(value: object) -> str:
    text = values.short(LONGEST_SUBJECT)(value)
    if not text.isprintable():
        raise Wrong("invalid", _("One line of printable characters."))
    return text


def category(value: object) -> str:
    text = values.string(value)
    if not _CATEGORY.fullmatch(text) or text == Category.SERVICE:
        detail = _("Small letters, digits and underscores, at most 40: %(usual)s, or one of your own.") % {
            "usual": ", ".join(each for each in Category.values if each != Category.SERVICE)
        }
        raise Wrong("invalid", detail)
    return text


def media(value: object) -> Media | WantedFile:
    """By a link, or a file of the organization's."""
    read = values.fields_of(
        value,
        {
            "kind": values.choice({kind.value: kind for kind in MediaKind}),
            "url": _link,
            "file_id": values.uuid,
            "file_name": _file_name,
            "media_type": _media_type,
            "send_as": values.choice({way.value: way for way in SendAs}),
        },
    )
    if "url" in read and "file_id" in read:
        raise Wrong("conflicting", _("Give either url or file_id."))
    if "file_id" in read:
        if "media_type" in read:
            raise Wrong("conflicting", _("The type of a file is known. Leave it out."), "media_type")
        return WantedFile(read.pop("file_id"), **read)
    if "send_as" in read:
        raise Wrong("conflicting", _("This is for files. Leave it out."), "send_as")
    if "url" not in read:
        raise Wrong("required", _("Give the url of it, or the file_id of a file that was uploaded."), "url")
    if "kind" not in read:
        raise Wrong("required", _("This is required."), "kind")
    return Media(**read)


def buttons(value: object) -> tuple[Button, ...]:
    read = values.each_of(_button, MOST_BUTTONS)(value)
    if len({button.id for button in read}) < len(read):
        raise Wrong("not_unique", _("Each button has an id of its own."))
    return read


def _button(value: object) -> Button:
    known = {"id": _line(LONGEST_BUTTON_ID), "title": _line(LONGEST_BUTTON_TITLE)}
    return Button(**values.fields_of(value, known, required=("id", "title")))


def template(value: object) -> WantedTemplate:
    read = values.fields_of(
        value,
        {
            "name": values.short(80),
            "variables": _variables,
            "language": values.short(10),
            "version": values.whole_number(1, 2**31 - 1),
        },
        required=("name",),
    )
    return WantedTemplate(**read)


def fallback(value: object) -> tuple[Step, ...]:
    return values.each_of(_step, MOST_STEPS)(value)


def _step(value: object) -> Step:
    read = values.fields_of(
        value,
        {
            "account_id": values.uuid,
            "channel": values.choice({name: name for name in NAMES}),
            "to": values.short(LONGEST_ADDRESS),
        },
    )
    if ("account_id" in read) == ("channel" in read):
        raise Wrong("conflicting", _("Give either account_id or channel."))
    return Step(**read)


def _line(most: int) -> Any:
    def read(value: object) -> str:
        text = values.filled(values.short(most)(value))
        if not text.isprintable():
            raise Wrong("invalid", _("One line of printable characters."))
        return text

    return read


def _link(value: object) -> str:
    """Where it leads is looked at again by whoever fetches it."""
    url = values.short(LONGEST_URL)(value)
    try:
        check_url(url, (), allow_http=False)
    except TargetRefused as refused:
        detail = _("This cannot be fetched: %(reason)s. Give an https URL that everybody can reach.")
        raise Wrong("refused_url", detail % {"reason": refused.reason}) from None
    return url


def _file_name(value: object) -> str:
    name = values.short(LONGEST_FILE_NAME)(value)
    if _NOT_IN_A_NAME.search(name):
        raise Wrong("invalid", _("A name without slashes and control characters."))
    return name


def _media_type(value: object) -> str:
    text = values.string(value).lower()
    if not _MEDIA_TYPE.fullmatch(text):
        raise Wrong("invalid", _("A media type is needed, such as image/png."))
    return text


def _variables(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Wrong("wrong_type", values.must_be(_("an object")))
    for name, given in value.items():
        if not isinstance(given, str | int | float | bool):
            raise Wrong("wrong_type", _("A variable is a text, a number, or true or false."), name[:60])
        if isinstance(given, str) and "\0" in given:
            raise Wrong("null_characters_not_allowed", _("Null characters are not allowed."), name[:60])
    if len(orjson.dumps(value)) > LARGEST_VARIABLES:
        raise Wrong("too_large", _("At most %(most)d bytes of JSON.") % {"most": LARGEST_VARIABLES})
    return value
