"""What somebody wants an invoice to be, and all that can be said of it without asking the database."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache
from typing import Any, Literal
from urllib.parse import urlsplit
from uuid import UUID

import orjson
from babel.numbers import list_currencies
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from apps.billing import boleto, phones, pix
from apps.billing.models import Invoice
from apps.channels import addresses
from apps.channels.capabilities import AddressKind
from apps.messaging import contacts

MOST_AT_ONCE = 1000
LONGEST_NUMBER = 80
LONGEST_NAME = 120
LONGEST_URL = 2000
MOST_AMOUNT = 10**15 - 1
EARLIEST, LATEST = date(2000, 1, 1), date(2100, 12, 31)
MOST_TAGS, LONGEST_TAG = 20, 40
LARGEST_METADATA = 16 * 1024
CURRENCY = "BRL"
_CURRENCY = re.compile(r"[A-Z]{3}")


@dataclass(frozen=True, slots=True)
class NewCustomer:
    """Found by an address, or added with what is said here."""

    name: str = ""
    phone: str = ""
    email: str = ""
    language: str = ""
    time_zone: str = ""

    @property
    def ways(self) -> list[contacts.Way]:
        """Of those that were found to be possible; the first decides who it is."""
        phone = [(AddressKind.PHONE, self.phone)] if self.phone else []
        return phone + ([(AddressKind.EMAIL, self.email)] if self.email else [])


@dataclass(frozen=True, slots=True, kw_only=True)
class NewInvoice:
    """What is None was not said: a new invoice has nothing there, a known one stays as it is."""

    number: str
    contact_id: UUID | None = None
    customer: NewCustomer | None = None
    amount: int | None = None
    currency: str | None = None
    due_on: date | None = None
    payment_url: str | None = None
    pix_code: str | None = None
    boleto_line: str | None = None
    tags: list[str] | None = None
    metadata: dict[str, Any] | None = None

    def said(self) -> dict[str, Any]:
        """By column."""
        return {name: value for name in CHANGEABLE if (value := getattr(self, name)) is not None}


CHANGEABLE = ("amount", "currency", "due_on", "payment_url", "pix_code", "boleto_line", "tags", "metadata")


@dataclass(frozen=True, slots=True)
class Mistake:
    """`field` is a path into what was sent, empty where it is all of it."""

    field: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Saved:
    invoice: Invoice
    outcome: Literal["created", "changed", "unchanged"]
    # By column: before and after.
    changes: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RefusedInvoice:
    number: str
    mistakes: list[Mistake] = field(default_factory=list)


class _Wrong(Exception):
    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code)
        self.code, self.detail = code, detail


def checked(wanted: NewInvoice, *, is_whole: bool = True) -> NewInvoice | list[Mistake]:
    """Written as it is stored. Where it is `is_whole`, an invoice can be made of it."""
    mistakes = _missing(wanted) if is_whole else []
    read: dict[str, Any] = {}
    for name, reader in _READERS.items():
        value = getattr(wanted, name)
        if value is None:
            continue
        try:
            read[name] = reader(value)
        except _Wrong as wrong:
            mistakes.append(Mistake(name, wrong.code, wrong.detail))
    if wanted.customer is not None:
        customer = _checked_customer(wanted.customer)
        if isinstance(customer, NewCustomer):
            read["customer"] = customer
        else:
            mistakes += customer
    return mistakes or replace(wanted, **read)


def _missing(wanted: NewInvoice) -> list[Mistake]:
    required = ("amount", "due_on")
    missing = [Mistake(name, "required", _("This is required.")) for name in required if _is_none(wanted, name)]
    if (wanted.contact_id is None) == (wanted.customer is None):
        missing.append(Mistake("customer", "required", _("Give either contact_id or customer.")))
    return missing


def _is_none(wanted: NewInvoice, name: str) -> bool:
    return getattr(wanted, name) is None


def _checked_customer(given: NewCustomer) -> NewCustomer | list[Mistake]:
    mistakes = []
    phone, email = phones.normalized(given.phone), addresses.normalized(given.email)
    for name, kind, value in (("phone", AddressKind.PHONE, phone), ("email", AddressKind.EMAIL, email)):
        if value and not addresses.is_possible(kind, value):
            mistakes.append(Mistake(f"customer/{name}", "bad_address", addresses.what_is_wrong(kind)))
    if not phone and not email:
        mistakes.append(Mistake("customer", "required", _("Give a phone number or an e-mail address.")))
    if len(given.name) > LONGEST_NAME or "\0" in given.name:
        mistakes.append(Mistake("customer/name", "invalid", _at_most(LONGEST_NAME)))
    language = given.language.replace("_", "-").lower()
    for name, value, check in (
        ("language", language, contacts.check_language),
        ("time_zone", given.time_zone, contacts.check_time_zone),
    ):
        try:
            if value:
                check(value)
        except ValidationError as error:
            mistakes.append(Mistake(f"customer/{name}", "invalid", error.messages[0]))
    if len(language) > 10:
        mistakes.append(Mistake("customer/language", "max_length", _at_most(10)))
    return mistakes or NewCustomer(given.name.strip(), phone, email, language, given.time_zone)


def _number(value: str) -> str:
    text = value.strip()
    if not text or "\0" in text:
        raise _Wrong("blank", _("This may not be blank."))
    if len(text) > LONGEST_NUMBER:
        raise _Wrong("max_length", _at_most(LONGEST_NUMBER))
    return text


def _amount(value: int) -> int:
    if not 0 < value <= MOST_AMOUNT:
        raise _Wrong("out_of_range", _("An amount is above zero and below ten trillion."))
    return value


@cache
def currencies() -> frozenset[str]:
    return frozenset(code for code in list_currencies() if _CURRENCY.fullmatch(code))


def _currency(value: str) -> str:
    code = value.strip().upper()
    if code not in currencies():
        raise _Wrong("invalid", _("This is no currency: they look like BRL or USD."))
    return code


def _due_on(value: date) -> date:
    if not EARLIEST <= value <= LATEST:
        raise _Wrong("out_of_range", _("An invoice is due between the years 2000 and 2100."))
    return value


def _payment_url(value: str) -> str:
    url = value.strip()
    if len(url) > LONGEST_URL:
        raise _Wrong("max_length", _at_most(LONGEST_URL))
    if url and not _is_link(url):
        raise _Wrong("invalid", _("A payment link begins with https:// or http://."))
    return url


def _is_link(url: str) -> bool:
    try:
        parts = urlsplit(url)
        has_host = bool(parts.hostname)
    except ValueError:
        return False
    return parts.scheme in {"https", "http"} and has_host and url.isprintable() and " " not in url


def _pix_code(value: str) -> str:
    code = value.strip()
    if code:
        try:
            pix.check(code)
        except pix.BadPix as bad:
            raise _Wrong("bad_pix", bad.detail) from None
    return code


def _boleto_line(value: str) -> str:
    digits = boleto.digits_of(value)
    if digits and not boleto.is_line(digits):
        raise _Wrong("bad_boleto", _("This is no boleto line: 47 or 48 digits, the check digits among them."))
    return digits


def _tags(value: list[str]) -> list[str]:
    """In the order in which they came, each once."""
    tags = list(dict.fromkeys(tag.strip() for tag in value))
    if len(tags) > MOST_TAGS:
        raise _Wrong("max_length", _("At most %(most)d tags.") % {"most": MOST_TAGS})
    if any(not tag or len(tag) > LONGEST_TAG or "\0" in tag for tag in tags):
        raise _Wrong("invalid", _("A tag has 1 to %(most)d characters.") % {"most": LONGEST_TAG})
    return tags


def _metadata(value: dict[str, Any]) -> dict[str, Any]:
    try:
        written = orjson.dumps(value)
    except orjson.JSONEncodeError:
        raise _Wrong("nested_too_deep", _("This is nested too deep.")) from None
    if len(written) > LARGEST_METADATA:
        raise _Wrong("too_large", _("At most %(most)d bytes of JSON.") % {"most": LARGEST_METADATA})
    if b"\\u0000" in written:
        raise _Wrong("null_characters_not_allowed", _("Null characters are not allowed."))
    return value


def _at_most(most: int) -> str:
    return _("At most %(most)d characters.") % {"most": most}


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "number": _number,
    "amount": _amount,
    "currency": _currency,
    "due_on": _due_on,
    "payment_url": _payment_url,
    "pix_code": _pix_code,
    "boleto_line": _boleto_line,
    "tags": _tags,
    "metadata": _metadata,
}
