"""Phone numbers as people in Brazil write them: without the country, with a zero in front, with spaces."""

import re

import phonenumbers

from apps.channels import addresses

REGION = "BR"
# The library would read words on a keypad, and extensions.
_WRITTEN = re.compile(r"[+0-9\s().\-/]{1,40}")


def normalized(text: str) -> str:
    """In international form where it can be read; else as it is, which is then found to be none."""
    text = text.strip()
    if not _WRITTEN.fullmatch(text):
        return text
    try:
        read = phonenumbers.parse(text, REGION)
    except phonenumbers.NumberParseException:
        return text
    return addresses.normalized(phonenumbers.format_number(read, phonenumbers.PhoneNumberFormat.E164))
