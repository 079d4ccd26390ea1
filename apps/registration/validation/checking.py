"""Is what a person wrote a value of its kind? Nothing here takes long, whatever they wrote."""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from django.utils.translation import gettext as _

from apps.registration.kinds import Kind
from apps.registration.validation import (
    addresses,
    birth_dates,
    emails,
    free_texts,
    names,
    phones,
    tax_ids,
)
from apps.registration.validation.refused import Refused

# Beyond this a text is not even looked at.
_LONGEST = 4000


@dataclass(frozen=True, slots=True)
class Checked:
    # The canonical text, as it is kept in the vault.
    value: str


@dataclass(frozen=True, slots=True)
class Wrong:
    code: str
    # For the person who wrote it: what to do.
    detail: str
    # What they may have meant.
    meant: str = ""


@dataclass(frozen=True, slots=True)
class _Reader:
    read: Callable[[str], str]
    longest: int


_READERS = {
    Kind.NAME: _Reader(names.read, names.LONGEST),
    Kind.EMAIL: _Reader(emails.read, emails.LONGEST),
    Kind.PHONE: _Reader(phones.read, phones.LONGEST),
    Kind.TAX_ID: _Reader(tax_ids.read, tax_ids.LONGEST),
    Kind.POSTAL_ADDRESS: _Reader(addresses.read, addresses.LONGEST),
    Kind.BIRTH_DATE: _Reader(birth_dates.read, birth_dates.LONGEST),
    Kind.FREE: _Reader(free_texts.read, free_texts.LONGEST),
}


def check(kind: Kind, text: str) -> Checked | Wrong:
    reader = _READERS[kind]
    if len(text) > _LONGEST:
        return _too_long(reader.longest)
    written = unicodedata.normalize("NFC", text).strip()
    if not written:
        return Wrong("empty", _("Nothing was written."))
    if len(written) > reader.longest:
        return _too_long(reader.longest)
    try:
        return Checked(reader.read(written))
    except Refused as refused:
        return Wrong(refused.code, refused.detail, refused.meant)


def _too_long(most: int) -> Wrong:
    return Wrong("too_long", _("Write at most %(most)d characters, please.") % {"most": most})
