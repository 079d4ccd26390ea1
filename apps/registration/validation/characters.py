"""What nobody sees in a text: it came along as the text was copied, or is there to deceive."""

import re
import unicodedata

_INVISIBLE = re.compile(r"[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_DIRECTION = re.compile(r"[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_HYPHEN = re.compile(r"[\u2010-\u2015\u2212]")
_CONTROL = frozenset({"Cc", "Cs", "Zl", "Zp"})


def typed(text: str) -> str:
    """As a keyboard writes it: contact cards wrap numbers in marks of direction, and have hyphens of their own."""
    return _HYPHEN.sub("-", _INVISIBLE.sub("", text)).strip()


def is_plain(text: str) -> bool:
    """Lines may break; a family of emoji may be joined. Nothing steers a terminal or turns the writing around."""
    is_controlled = any(unicodedata.category(character) in _CONTROL and character != "\n" for character in text)
    return not is_controlled and not _DIRECTION.search(text)


def folded(text: str) -> str:
    """For comparing: without accents and case."""
    apart = unicodedata.normalize("NFKD", text)
    return "".join(character for character in apart if not unicodedata.combining(character)).casefold()
