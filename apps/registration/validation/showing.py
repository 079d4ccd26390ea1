"""Values as people read them: whole, or masked, by which they know their own and nobody else learns it.

Neither ever fails, whatever was kept: a value that is none of its kind is shown as it is, and masked altogether.
"""

import re
from collections.abc import Callable
from datetime import date

import phonenumbers
from django.utils import formats

from apps.registration.kinds import Kind
from apps.registration.validation.address import Address
from apps.registration.validation.tax_ids import is_cnpj, is_cpf

HIDDEN = "***"
_BRAZILIAN = re.compile(r"\+55([0-9]{2})([0-9]{6,7})([0-9]{2})")


def shown(kind: Kind, value: str) -> str:
    return _SHOWN.get(kind, _as_it_is)(value)


def masked(kind: Kind, value: str) -> str:
    return _MASKED[kind](value)


def _as_it_is(value: str) -> str:
    return value


def _hidden(_value: str) -> str:
    return HIDDEN


def _shown_phone(value: str) -> str:
    try:
        number = phonenumbers.parse(value)
    except phonenumbers.NumberParseException:
        return value
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def _masked_phone(value: str) -> str:
    """The area code and two digits; of other countries only the latter."""
    if number := _BRAZILIAN.fullmatch(value):
        return f"+55 {number[1]} {'*' * (len(number[2]) - 2)}-**{number[3]}"
    return f"+{HIDDEN}{value[-2:]}" if value[:1] == "+" and value[1:].isdigit() and len(value) > 7 else HIDDEN


def _masked_email(value: str) -> str:
    name, at, domain = value.rpartition("@")
    return f"{name[0] if len(name) > 2 else ''}{HIDDEN}@{domain}" if at and name and domain else HIDDEN


def _shown_tax_id(value: str) -> str:
    if is_cpf(value):
        return f"{value[:3]}.{value[3:6]}.{value[6:9]}-{value[9:]}"
    if is_cnpj(value):
        return f"{value[:2]}.{value[2:5]}.{value[5:8]}/{value[8:12]}-{value[12:]}"
    return value


def _masked_tax_id(value: str) -> str:
    if is_cpf(value):
        return f"***.{value[3:6]}.{value[6:9]}-**"
    return f"**.***.{value[5:8]}/****-**" if is_cnpj(value) else HIDDEN


def _shown_date(value: str) -> str:
    """The month by its name: nobody takes it for the day."""
    born = _date(value)
    return formats.date_format(born, "DATE_FORMAT") if born else value


def _masked_date(value: str) -> str:
    born = _date(value)
    return f"**/**/{born.year}" if born else HIDDEN


def _date(value: str) -> date | None:
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


def _masked_name(value: str) -> str:
    words = value.split()
    return f"{words[0]} {words[-1][0]}." if len(words) > 1 and len(words[-1]) > 1 else HIDDEN


def _shown_address(value: str) -> str:
    address = Address.from_text(value)
    if address is None:
        return value
    code = address.postal_code
    place = " - ".join(part for part in (address.city, address.state) if part)
    parts = (address.street, address.number, address.complement, address.district, place)
    return ", ".join(part for part in (*parts, f"{code[:5]}-{code[5:]}" if code else "") if part)


def _masked_address(value: str) -> str:
    """Of the street its kind and a letter, and the city."""
    address = Address.from_text(value)
    kind, _space, name = address.street.partition(" ") if address else ("", "", "")
    if address is None or not name or not address.city:
        return HIDDEN
    return f"{kind} {name[0]}…, {address.city}"


_SHOWN: dict[Kind, Callable[[str], str]] = {
    Kind.PHONE: _shown_phone,
    Kind.TAX_ID: _shown_tax_id,
    Kind.BIRTH_DATE: _shown_date,
    Kind.POSTAL_ADDRESS: _shown_address,
}
_MASKED: dict[Kind, Callable[[str], str]] = {
    Kind.NAME: _masked_name,
    Kind.EMAIL: _masked_email,
    Kind.PHONE: _masked_phone,
    Kind.TAX_ID: _masked_tax_id,
    Kind.POSTAL_ADDRESS: _masked_address,
    Kind.BIRTH_DATE: _masked_date,
    Kind.FREE: _hidden,
}
