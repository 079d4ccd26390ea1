"""What callers send when they bring invoices: the one reading of it, alone and by the thousand.

It is plain Python, as for messages: a serializer for each of a thousand would take a second.
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import ErrorDetail, ValidationError

from apps.billing.new_invoice import MOST_AMOUNT, MOST_AT_ONCE, Mistake, NewCustomer, NewInvoice
from apps.core.api.problems import field_error
from apps.messaging.api import values
from apps.messaging.api.values import Wrong, fields_of, must_be

# Longer than anything that is stored; what exactly may be stored, apps.billing.new_invoice says.
LONGEST_TEXT = 2000
_MOST_MISTAKES = 20
_MOST_TAGS_READ = 100


def read_invoice(given: object) -> NewInvoice | list[Mistake]:
    read = _read(given, _FIELDS)
    if isinstance(read, list):
        return read
    if "number" not in read:
        return [Mistake("number", "required", _("This is required."))]
    return NewInvoice(**read)


def read_change(given: object) -> dict[str, Any]:
    """Raises ValidationError."""
    read = _read(given, _CHANGEABLE)
    if isinstance(read, list):
        raise as_problem(read)
    if "contact_id" in read and "customer" in read:
        raise field_error("customer", "conflicting", _("Give either contact_id or customer."))
    return read


def read_batch(body: object) -> list[NewInvoice | list[Mistake]]:
    """Each by itself. Raises ValidationError where the batch is none."""
    return [read_invoice(each) for each in items_of(body, "invoices", MOST_AT_ONCE)]


def items_of(body: object, name: str, most: int) -> list[object]:
    if not isinstance(body, dict):
        raise ValidationError([ErrorDetail(must_be(_("an object")), code="wrong_type")])
    for other in body:
        if other != name:
            raise field_error(other, "unknown_field", _("Unknown field. Known: %(known)s.") % {"known": name})
    given = body.get(name)
    if not isinstance(given, list):
        raise field_error(name, "wrong_type", must_be(_("a list")))
    if not 1 <= len(given) <= most:
        detail = _("From 1 to %(most)d of them.") % {"most": most}
        raise field_error(name, "max_length" if given else "min_length", detail)
    return given


def as_problem(mistakes: list[Mistake]) -> ValidationError:
    details: dict[str, list[ErrorDetail]] = {}
    for mistake in mistakes:
        details.setdefault(mistake.field, []).append(ErrorDetail(mistake.detail, code=mistake.code))
    return ValidationError(details)


def _read(given: object, fields: Mapping[str, Callable[[object], Any]]) -> dict[str, Any] | list[Mistake]:
    if not isinstance(given, dict):
        return [Mistake("", "wrong_type", must_be(_("an object")))]
    read: dict[str, Any] = {}
    mistakes: list[Mistake] = []
    for name, value in given.items():
        reader = fields.get(name)
        if reader is None:
            detail = _("Unknown field. Known: %(known)s.") % {"known": ", ".join(fields)}
            mistakes.append(Mistake(str(name)[:60], "unknown_field", detail))
            continue
        try:
            read[name] = reader(value)
        except Wrong as wrong:
            mistakes.append(Mistake(f"{name}/{wrong.field}".rstrip("/"), wrong.code, wrong.detail))
    return mistakes[:_MOST_MISTAKES] or read


def _day(value: object) -> date:
    text = values.string(value)
    try:
        # Also written in other ways by ISO, which nobody means.
        if len(text) == len("2026-03-01"):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise Wrong("invalid", _("A date is needed, such as 2026-03-01."))


def _customer(value: object) -> NewCustomer:
    return NewCustomer(**fields_of(value, _CUSTOMER))


def _tags(value: object) -> list[str]:
    return list(values.each_of(values.short(LONGEST_TEXT), _MOST_TAGS_READ)(value)) if value != [] else []


def _metadata(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Wrong("wrong_type", must_be(_("an object")))
    return value


_text = values.short(LONGEST_TEXT)
_CUSTOMER: dict[str, Callable[[object], Any]] = dict.fromkeys(
    ("name", "phone", "email", "language", "time_zone"), values.short(254)
)
_CHANGEABLE: dict[str, Callable[[object], Any]] = {
    "contact_id": values.uuid,
    "customer": _customer,
    "amount": values.whole_number(1, MOST_AMOUNT),
    "currency": values.short(10),
    "due_on": _day,
    "payment_url": _text,
    "pix_code": _text,
    "boleto_line": _text,
    "tags": _tags,
    "metadata": _metadata,
}
_FIELDS: dict[str, Callable[[object], Any]] = {"number": _text, **_CHANGEABLE}
FIELDS = frozenset(_FIELDS)
