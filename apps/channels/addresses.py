"""How people are addressed on a channel: one way to write each address, and nothing that cannot be one."""

import re
from urllib.parse import urlsplit

import phonenumbers
from django.utils.translation import gettext_lazy as _

from apps.channels.capabilities import AddressKind

LONGEST = 254
_FILLERS = re.compile(r"[\s().-]")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
# Brazil gave its mobile numbers a ninth digit; WhatsApp still names people by the number they came with.
_BRAZILIAN_WITHOUT_NINTH = re.compile(r"(\+55[1-9][0-9])([6-9][0-9]{7})")
_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")
# A person's chat has a positive number, a group's a negative one.
_CHAT = re.compile(r"-?[1-9][0-9]{0,17}")
# What can stand in an envelope without quotes: nobody has ever been seen with another.
_EMAIL = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]{0,61}[A-Za-z0-9]"
)
LONGEST_LOCAL_PART = 64


def normalized(text: str) -> str:
    """As it is looked up. Says nothing about whether anybody can be there."""
    text = text.strip()
    if text.startswith("+"):
        number = _FILLERS.sub("", text)
        old = _BRAZILIAN_WITHOUT_NINTH.fullmatch(number)
        return f"{old[1]}9{old[2]}" if old else number
    name, at, domain = text.rpartition("@")
    return f"{name}{at}{domain.lower()}" if at and "/" not in text else text


def is_possible(kind: AddressKind, address: str) -> bool:
    """Whether a normalized address can be one; whether somebody answers there, only the provider knows."""
    match kind:
        case AddressKind.PHONE:
            return _E164.fullmatch(address) is not None and _is_possible_phone(address)
        case AddressKind.INSTAGRAM_ID:
            return _ID.fullmatch(address) is not None
        case AddressKind.TELEGRAM_CHAT:
            return _CHAT.fullmatch(address) is not None
        case AddressKind.EMAIL:
            is_short = len(address) <= LONGEST and len(address.partition("@")[0]) <= LONGEST_LOCAL_PART
            return is_short and _EMAIL.fullmatch(address) is not None
        case AddressKind.URL:
            return len(address) <= LONGEST and _is_url(address)


def what_is_wrong(kind: AddressKind) -> str:
    """Of an address that can be none, and how one looks."""
    return str(_WRONG[kind])


_WRONG = {
    AddressKind.PHONE: _("This is no phone number in international form, such as +5511912345678."),
    AddressKind.INSTAGRAM_ID: _("This is no id of a person on Instagram: it comes with what they wrote."),
    AddressKind.TELEGRAM_CHAT: _("This is no id of a Telegram chat: a number, which comes with what they wrote."),
    AddressKind.EMAIL: _("This is no e-mail address."),
    AddressKind.URL: _("This is no URL that may be called: https and a public host, please."),
}


def _is_url(address: str) -> bool:
    """Where it leads is looked at when it is called."""
    try:
        parts = urlsplit(address)
        has_port = parts.port is None or parts.port > 0
    except ValueError:
        return False
    is_clean = address.isascii() and address.isprintable() and " " not in address and parts.username is None
    has_host = bool(parts.hostname) and has_port
    return parts.scheme in {"https", "http"} and has_host and is_clean and not parts.fragment


def _is_possible_phone(address: str) -> bool:
    try:
        return phonenumbers.is_possible_number(phonenumbers.parse(address))
    except phonenumbers.NumberParseException:
        return False
