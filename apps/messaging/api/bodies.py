"""What callers send when they send messages: the one reading of it, for a message alone and in a batch.

It is plain Python, because a thousand messages come at once: 11 µs for each, where a serializer of Django REST
framework takes hundreds. The serializers of schema.py describe the same rules; a test holds the two together.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
from django.utils.translation import gettext as _
from rest_framework.exceptions import ErrorDetail, ValidationError

from apps.channels import addresses
from apps.core.api.problems import field_error
from apps.messaging.engine.accept import NewMessage
from apps.messaging.statuses import Priority

MOST_IN_BATCH = 1000
LONGEST_REFERENCE = 120
# Bytes of JSON: labels that an application hangs on a message, not a second message.
LARGEST_METADATA = 4096
DEEPEST_METADATA = 16
PRIORITIES = {priority.name.lower(): priority for priority in Priority}
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@dataclass(frozen=True, slots=True)
class Mistake:
    """In the shape in which engine.accept refuses: `field` is empty where the whole message is wrong."""

    field: str
    code: str
    detail: str


class _Wrong(Exception):
    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code)
        self.code, self.detail = code, detail


def read_message(given: object) -> NewMessage | list[Mistake]:
    """Everything that can be said of a message without asking the database."""
    if not isinstance(given, dict):
        return [Mistake("", "wrong_type", _must_be(_("an object")))]
    values: dict[str, Any] = {}
    mistakes: list[Mistake] = []
    for name, value in given.items():
        read = _FIELDS.get(name)
        if read is None:
            mistakes.append(_unknown(name))
        elif value is not None or name not in _MAY_BE_NULL:
            try:
                values[name] = read(value)
            except _Wrong as wrong:
                mistakes.append(Mistake(name, wrong.code, wrong.detail))
    mistakes += _missing(given)
    return mistakes[:_MOST_MISTAKES] or NewMessage(**values)


def read_batch(body: object) -> list[NewMessage | list[Mistake]]:
    """Each by itself. Raises ValidationError where the batch is none."""
    if not isinstance(body, dict):
        raise ValidationError([ErrorDetail(_must_be(_("an object")), code="wrong_type")])
    for name in body:
        if name != "messages":
            raise field_error(name, "unknown_field", _("Unknown field. Known: %(known)s.") % {"known": "messages"})
    if "messages" not in body:
        raise field_error("messages", "required", _("This is required."))
    given = body["messages"]
    if not isinstance(given, list):
        raise field_error("messages", "wrong_type", _must_be(_("a list")))
    if not 1 <= len(given) <= MOST_IN_BATCH:
        detail = _("A batch holds 1 to %(most)d messages.") % {"most": MOST_IN_BATCH}
        raise field_error("messages", "max_length" if given else "min_length", detail)
    return [read_message(each) for each in given]


def as_problem(mistakes: Sequence[Mistake]) -> ValidationError:
    details: dict[str, list[ErrorDetail]] = {}
    for mistake in mistakes:
        details.setdefault(mistake.field, []).append(ErrorDetail(mistake.detail, code=mistake.code))
    return ValidationError(details)


def _missing(given: Mapping[str, object]) -> list[Mistake]:
    """Where the message is to go: either an account and an address, or a conversation."""
    missing = [] if "text" in given else [Mistake("text", "required", _("This is required."))]
    here = [name for name in ("account_id", "to") if given.get(name) is not None]
    if given.get("conversation_id") is not None:
        if here:
            detail = _("Give either conversation_id, or account_id and to.")
            missing.append(Mistake("conversation_id", "conflicting", detail))
    elif len(here) < 2:
        detail = _("Give account_id and to, or a conversation_id.")
        missing += [Mistake(name, "required", detail) for name in ("account_id", "to") if name not in here]
    return missing


def _text(value: object) -> str:
    text = _string(value)
    if not text or text.isspace():
        raise _Wrong("blank", _("This may not be blank."))
    return text


def _short(most: int) -> Callable[[object], str]:
    def short(value: object) -> str:
        text = _string(value)
        if len(text) > most:
            raise _Wrong("max_length", _("At most %(most)d characters.") % {"most": most})
        return text

    return short


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise _Wrong("wrong_type", _must_be(_("text")))
    if "\0" in value:
        raise _Wrong("null_characters_not_allowed", _("Null characters are not allowed."))
    return value


def _id(value: object) -> UUID:
    text = _string(value)
    if not _UUID.fullmatch(text):
        raise _Wrong("invalid", _("This is no id: they look like 0199f3a2-7c1e-7d3b-9a54-2f6c8e1b4d70."))
    return UUID(text)


def _priority(value: object) -> int:
    priority = PRIORITIES.get(_string(value))
    if priority is None:
        raise _Wrong("invalid_choice", _("This must be one of: %(known)s.") % {"known": ", ".join(PRIORITIES)})
    return priority


def _moment(value: object) -> datetime:
    text = _string(value)
    try:
        moment = datetime.fromisoformat(text)
        in_utc = None if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        in_utc = None
    if in_utc is None:
        detail = _("A date and time with its offset is needed, such as 2026-03-01T09:30:00-03:00.")
        raise _Wrong("invalid", detail)
    return in_utc


def _metadata(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _Wrong("wrong_type", _must_be(_("an object")))
    if not value:
        return value
    try:
        written = orjson.dumps(value)
    except orjson.JSONEncodeError:
        raise _Wrong("nested_too_deep", _too_deep()) from None
    if len(written) > LARGEST_METADATA:
        raise _Wrong("too_large", _("At most %(most)d bytes of JSON.") % {"most": LARGEST_METADATA})
    if written.count(b"{") + written.count(b"[") > DEEPEST_METADATA and _depth(value) > DEEPEST_METADATA:
        raise _Wrong("nested_too_deep", _too_deep())
    if b"\\u0000" in written and _has_null(value):
        raise _Wrong("null_characters_not_allowed", _("Null characters are not allowed."))
    return value


def _depth(value: object) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(_depth, inner), default=0)


def _has_null(value: object) -> bool:
    """An escaped backslash before `u0000` looks the same when written."""
    if isinstance(value, dict):
        return any("\0" in name or _has_null(inner) for name, inner in value.items())
    return any(map(_has_null, value)) if isinstance(value, list) else isinstance(value, str) and "\0" in value


def _too_deep() -> str:
    return _("At most %(most)d levels deep.") % {"most": DEEPEST_METADATA}


def _must_be(what: str) -> str:
    return _("This must be %(type)s.") % {"type": what}


def _unknown(name: str) -> Mistake:
    return Mistake(name, "unknown_field", _("Unknown field. Known: %(known)s.") % {"known": ", ".join(_FIELDS)})


_FIELDS: dict[str, Callable[[object], Any]] = {
    "text": _text,
    "account_id": _id,
    "to": _short(addresses.LONGEST),
    "conversation_id": _id,
    "priority": _priority,
    "scheduled_at": _moment,
    "expires_at": _moment,
    "reference": _short(LONGEST_REFERENCE),
    "metadata": _metadata,
}
_MAY_BE_NULL = {"account_id", "to", "conversation_id", "scheduled_at", "expires_at"}
_MOST_MISTAKES = 20
