"""Single values of what callers send: each reader returns what it means, or raises Wrong."""

import re
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from apps.messaging.statuses import Priority

PRIORITIES = {priority.name.lower(): priority for priority in Priority}
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class Wrong(Exception):
    """`field` is where, below the value that was read; empty where it is the value itself."""

    def __init__(self, code: str, detail: str, field: str = "") -> None:
        super().__init__(code)
        self.code, self.detail, self.field = code, detail, field


def must_be(what: str) -> str:
    return _("This must be %(type)s.") % {"type": what}


def filled(value: object) -> str:
    read = string(value)
    if not read or read.isspace():
        raise Wrong("blank", _("This may not be blank."))
    return read


def short(most: int) -> Callable[[object], str]:
    def read(value: object) -> str:
        text = string(value)
        if len(text) > most:
            raise Wrong("max_length", _("At most %(most)d characters.") % {"most": most})
        return text

    return read


def string(value: object) -> str:
    if not isinstance(value, str):
        raise Wrong("wrong_type", must_be(_("text")))
    if "\0" in value:
        raise Wrong("null_characters_not_allowed", _("Null characters are not allowed."))
    return value


def uuid(value: object) -> UUID:
    text = string(value)
    if not _UUID.fullmatch(text):
        raise Wrong("invalid", _("This is no id: they look like 0199f3a2-7c1e-7d3b-9a54-2f6c8e1b4d70."))
    return UUID(text)


def choice[Meaning](known: Mapping[str, Meaning]) -> Callable[[object], Meaning]:
    def read(value: object) -> Meaning:
        meaning = known.get(string(value))
        if meaning is None:
            raise Wrong("invalid_choice", _("This must be one of: %(known)s.") % {"known": ", ".join(known)})
        return meaning

    return read


def whole_number(least: int, most: int) -> Callable[[object], int]:
    def read(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise Wrong("wrong_type", must_be(_("a whole number")))
        if not least <= value <= most:
            detail = _("This must be from %(least)d to %(most)d.") % {"least": least, "most": most}
            raise Wrong("out_of_range", detail)
        return value

    return read


def fields_of(
    value: object, known: Mapping[str, Callable[[object], Any]], required: Collection[str] = ()
) -> dict[str, Any]:
    """An object, each of its fields read; the first that is wrong is told."""
    if not isinstance(value, dict):
        raise Wrong("wrong_type", must_be(_("an object")))
    for name in required:
        if name not in value:
            raise Wrong("required", _("This is required."), name)
    read: dict[str, Any] = {}
    for name, given in value.items():
        reader = known.get(name)
        if reader is None:
            detail = _("Unknown field. Known: %(known)s.") % {"known": ", ".join(known)}
            raise Wrong("unknown_field", detail, str(name)[:60])
        try:
            read[name] = reader(given)
        except Wrong as wrong:
            raise Wrong(wrong.code, wrong.detail, f"{name}/{wrong.field}".rstrip("/")) from None
    return read


def each_of[Item](read_item: Callable[[object], Item], most: int) -> Callable[[object], tuple[Item, ...]]:
    def read(value: object) -> tuple[Item, ...]:
        if not isinstance(value, list):
            raise Wrong("wrong_type", must_be(_("a list")))
        if not 1 <= len(value) <= most:
            detail = _("From 1 to %(most)d of them.") % {"most": most}
            raise Wrong("max_length" if value else "min_length", detail)
        items = []
        for n, given in enumerate(value):
            try:
                items.append(read_item(given))
            except Wrong as wrong:
                raise Wrong(wrong.code, wrong.detail, f"{n}/{wrong.field}".rstrip("/")) from None
        return tuple(items)

    return read


def moment(value: object) -> datetime:
    text = string(value)
    try:
        moment = datetime.fromisoformat(text)
        in_utc = None if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        in_utc = None
    if in_utc is None:
        detail = _("A date and time with its offset is needed, such as 2026-03-01T09:30:00-03:00.")
        raise Wrong("invalid", detail)
    return in_utc
