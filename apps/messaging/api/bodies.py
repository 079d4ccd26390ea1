"""What callers send when they send messages: the one reading of it, for a message alone and in a batch.

It is plain Python, because a thousand messages come at once: 11 µs for each, where a serializer of Django REST
framework takes hundreds. The serializers of schema.py describe the same rules; a test holds the two together.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson
from django.utils.translation import gettext as _
from rest_framework.exceptions import ErrorDetail, ValidationError

from apps.channels import addresses
from apps.core.api.problems import field_error
from apps.messaging.api import content_bodies, values
from apps.messaging.api.mistake import Mistake
from apps.messaging.api.values import PRIORITIES, Wrong, must_be
from apps.messaging.engine.new_message import NewMessage

MOST_IN_BATCH = 1000
LONGEST_REFERENCE = 120
# Seconds.
SHORTEST_DELIVERY, LONGEST_DELIVERY = 10, 7 * 24 * 3600
# Bytes of JSON: labels that an application hangs on a message, not a second message.
LARGEST_METADATA = 4096
DEEPEST_METADATA = 16


def read_message(given: object) -> NewMessage | list[Mistake]:
    """Everything that can be said of a message without asking the database."""
    if not isinstance(given, dict):
        return [Mistake("", "wrong_type", must_be(_("an object")))]
    read: dict[str, Any] = {}
    mistakes: list[Mistake] = []
    for name, value in given.items():
        reader = _FIELDS.get(name)
        if reader is None:
            mistakes.append(_unknown(name))
        elif value is not None or name not in _MAY_BE_NULL:
            try:
                read[name] = reader(value)
            except Wrong as wrong:
                mistakes.append(Mistake(f"{name}/{wrong.field}".rstrip("/"), wrong.code, wrong.detail))
    mistakes += _missing(given)
    return mistakes[:_MOST_MISTAKES] or content_bodies.as_message(read)


def read_batch(body: object) -> list[NewMessage | list[Mistake]]:
    """Each by itself. Raises ValidationError where the batch is none."""
    if not isinstance(body, dict):
        raise ValidationError([ErrorDetail(must_be(_("an object")), code="wrong_type")])
    for name in body:
        if name != "messages":
            raise field_error(name, "unknown_field", _("Unknown field. Known: %(known)s.") % {"known": "messages"})
    if "messages" not in body:
        raise field_error("messages", "required", _("This is required."))
    given = body["messages"]
    if not isinstance(given, list):
        raise field_error("messages", "wrong_type", must_be(_("a list")))
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
    missing = content_bodies.missing_content(given)
    here = [name for name in ("account_id", "to") if given.get(name) is not None]
    if given.get("conversation_id") is not None:
        if here:
            detail = _("Give either conversation_id, or account_id and to.")
            missing.append(Mistake("conversation_id", "conflicting", detail))
    elif len(here) < 2:
        detail = _("Give account_id and to, or a conversation_id.")
        missing += [Mistake(name, "required", detail) for name in ("account_id", "to") if name not in here]
    return missing


def _metadata(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Wrong("wrong_type", must_be(_("an object")))
    if not value:
        return value
    try:
        written = orjson.dumps(value)
    except orjson.JSONEncodeError:
        raise Wrong("nested_too_deep", _too_deep()) from None
    if len(written) > LARGEST_METADATA:
        raise Wrong("too_large", _("At most %(most)d bytes of JSON.") % {"most": LARGEST_METADATA})
    if written.count(b"{") + written.count(b"[") > DEEPEST_METADATA and _depth(value) > DEEPEST_METADATA:
        raise Wrong("nested_too_deep", _too_deep())
    if b"\\u0000" in written and _has_null(value):
        raise Wrong("null_characters_not_allowed", _("Null characters are not allowed."))
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


def _unknown(name: str) -> Mistake:
    return Mistake(name, "unknown_field", _("Unknown field. Known: %(known)s.") % {"known": ", ".join(_FIELDS)})


_FIELDS: dict[str, Callable[[object], Any]] = {
    "text": values.filled,
    "subject": content_bodies.subject,
    "media": content_bodies.media,
    "buttons": content_bodies.buttons,
    "template": content_bodies.template,
    "template_fallback": content_bodies.template,
    "account_id": values.uuid,
    "to": values.short(addresses.LONGEST),
    "conversation_id": values.uuid,
    "reply_to": values.uuid,
    "category": content_bodies.category,
    "fallback": content_bodies.fallback,
    "delivered_within": values.whole_number(SHORTEST_DELIVERY, LONGEST_DELIVERY),
    "priority": values.choice(PRIORITIES),
    "scheduled_at": values.moment,
    "expires_at": values.moment,
    "reference": values.short(LONGEST_REFERENCE),
    "metadata": _metadata,
}
_MAY_BE_NULL = {
    "account_id", "to", "conversation_id", "scheduled_at", "expires_at", "media", "template", "template_fallback",
    "reply_to", "delivered_within",
}  # fmt: skip
_MOST_MISTAKES = 20
