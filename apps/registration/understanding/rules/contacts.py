"""E-mail addresses and phone numbers in a message."""

import re

from apps.registration.kinds import Kind
from apps.registration.understanding.rules.found import Found, Message

_EMAIL = re.compile(r"(?<![\w.+%'-])[\w.+%'-]{1,64}@[\w.-]{1,190}")
_WELL_FORMED_EMAIL = re.compile(r"[a-z0-9_+%'-][a-z0-9._+%'-]{0,63}@(?:[a-z0-9-]{1,63}\.){1,8}[a-z]{2,24}")
# Somebody who was asked for an address wrote one without its sign.
_NEARLY_AN_EMAIL = re.compile(r"[\w+-]+(?:\.[\w+-]+)+")

_PHONE = re.compile(r"(?<![\w.,/-])\+?(?:\d|\(\d)[\d ().-]{5,20}\d(?![\w/-])")
_PHONE_BEFORE = re.compile(
    r"\b(?:tel(?:efone)?|fone|fixo|cel(?:ular)?|zap|whats(?:app)?|wpp|numero|phone|mobile|cell|number|call|liga\w*)\b"
)
_CEP = re.compile(r"\d{5}-?\d{3}")
_FEWEST_DIGITS = 8
_MOST_DIGITS = 15


def find_emails(message: Message) -> None:
    for each in _EMAIL.finditer(message.text):
        end = each.start() + len(each[0].rstrip(".-"))
        start = each.start() + len(each[0]) - len(each[0].lstrip(".'"))
        is_one = bool(_WELL_FORMED_EMAIL.fullmatch(message.folded, start, end))
        if is_one or message.asked.kind is Kind.EMAIL or "." in message.text[start:end].partition("@")[2]:
            message.add(Found(Kind.EMAIL, start, end, is_one))


def find_nearly_email(message: Message) -> None:
    if not message.of(Kind.EMAIL) and (nearly := _NEARLY_AN_EMAIL.fullmatch(message.text)):
        message.add(Found(Kind.EMAIL, nearly.start(), nearly.end(), is_well_formed=False))


def find_plain_phones(message: Message) -> None:
    """Those that can be nothing else: said to be one, or with a plus or an area code in brackets."""
    for start, end in _phones(message):
        is_said = message.is_named_before(_PHONE_BEFORE, start)
        if is_said or message.asked.kind is Kind.PHONE or message.text[start] in "+(":
            message.add(Found(Kind.PHONE, start, end, _is_well_formed(message.text[start:end])))


def find_likely_phones(message: Message) -> None:
    """By their look alone, once all else is found."""
    for start, end in _phones(message):
        if message.asked.kind is not Kind.TAX_ID and _is_brazilian(message.text[start:end]):
            message.add(Found(Kind.PHONE, start, end))


def looks_like_mobile(digits: str) -> bool:
    """Eleven digits, as a CPF has: an area code, then the nine of mobile phones."""
    return len(digits) == 11 and digits[0] != "0" and digits[1] != "0" and digits[2] == "9"


def _phones(message: Message) -> list[tuple[int, int]]:
    spans = [(each.start(), each.end()) for each in _PHONE.finditer(message.text)]
    return [
        (start, end)
        for start, end in spans
        if _FEWEST_DIGITS <= _count(message.text[start:end]) <= _MOST_DIGITS
        and (message.asked.kind is Kind.PHONE or not _CEP.fullmatch(message.text, start, end))
    ]


def _is_well_formed(text: str) -> bool:
    return text.startswith("+") or _is_brazilian(text)


def _is_brazilian(text: str) -> bool:
    digits = "".join(filter(str.isdigit, text)).lstrip("0")
    if digits.startswith("55") and len(digits) > 11:
        digits = digits[2:]
    return looks_like_mobile(digits) or (len(digits) == 10 and digits[1] != "0" and digits[2] in "2345")


def _count(text: str) -> int:
    return sum(each.isdigit() for each in text)
