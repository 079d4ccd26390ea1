"""Telephone numbers as people in Brazil write them, and those of other countries with a plus."""

import re

import phonenumbers
from django.utils.translation import gettext as _
from phonenumbers import PhoneNumberType

from apps.channels import addresses
from apps.registration.validation.characters import typed
from apps.registration.validation.refused import Refused

LONGEST = 60
_COUNTRY = "55"
_AREA_CODE_WORD = re.compile(r"\bddd\b[\s:]*", re.IGNORECASE)
# "0xx11": whatever carrier one likes, from when one had to name it.
_ANY_CARRIER = re.compile(r"\b0\s?[xX*_]{2}\s?")
_WRITTEN = re.compile(r"\(?\+?[0-9\s()./-]+")
_NOT_A_DIGIT = re.compile(r"[^0-9]")
_NOT_OF_A_PERSON = frozenset({
    PhoneNumberType.TOLL_FREE,
    PhoneNumberType.PREMIUM_RATE,
    PhoneNumberType.SHARED_COST,
    PhoneNumberType.UAN,
    PhoneNumberType.VOICEMAIL,
    PhoneNumberType.PAGER,
})  # fmt: skip


def read(text: str) -> str:
    written = _AREA_CODE_WORD.sub("", typed(text)).strip()
    written = _ANY_CARRIER.sub("0", written)
    if not _WRITTEN.fullmatch(written):
        raise _refused()
    digits = _NOT_A_DIGIT.sub("", written)
    has_plus = "+" in written
    number = f"+{digits}" if has_plus and not digits.startswith(_COUNTRY) else _brazilian(digits, has_plus)
    try:
        read_number = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        raise _refused() from None
    if not phonenumbers.is_valid_number(read_number):
        raise _refused()
    if phonenumbers.number_type(read_number) in _NOT_OF_A_PERSON:
        raise Refused("not_personal", _("This number belongs to a service. Write your own, with the area code."))
    return phonenumbers.format_number(read_number, phonenumbers.PhoneNumberFormat.E164)


def _brazilian(digits: str, has_country: bool) -> str:
    """Twelve and more digits hold the country or a carrier too; 55 alone may be the area code of Santa Maria."""
    if digits.startswith("00" + _COUNTRY):
        digits = digits[4:]
    elif has_country or (digits.startswith(_COUNTRY) and len(digits) in {12, 13, 14}):
        digits = digits[2:]
    national = digits.lstrip("0")
    if national != digits and len(national) in {12, 13}:
        national = national[2:]
    if len(national) in {8, 9}:
        raise Refused("no_area_code", _("Write the area code too, such as (11) 98765-4321."))
    return addresses.normalized(f"+{_COUNTRY}{national}")


def _refused() -> Refused:
    detail = _(
        "Write a phone number with its area code, such as (11) 98765-4321; from abroad, with + and country."
    )
    return Refused("bad_phone", detail)
