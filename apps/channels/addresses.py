"""How people are addressed on a channel: one way to write each address, and nothing that cannot be one."""

import re

import phonenumbers

from apps.channels.connector import AddressKind

LONGEST = 254
_FILLERS = re.compile(r"[\s().-]")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")


def normalized(text: str) -> str:
    """As it is looked up. Says nothing about whether anybody can be there."""
    text = text.strip()
    return _FILLERS.sub("", text) if text.startswith("+") else text


def is_possible(kind: AddressKind, address: str) -> bool:
    """Whether a normalized address can be one; whether somebody answers there, only the provider knows."""
    if kind is AddressKind.PHONE:
        return _E164.fullmatch(address) is not None and _is_possible_phone(address)
    return _ID.fullmatch(address) is not None


def _is_possible_phone(address: str) -> bool:
    try:
        return phonenumbers.is_possible_number(phonenumbers.parse(address))
    except phonenumbers.NumberParseException:
        return False
