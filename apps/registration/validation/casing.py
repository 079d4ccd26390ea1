"""Names of people and places as they are written, from what was typed in capitals or without any."""

import re

_JOINING = frozenset({
    "da", "de", "do", "das", "dos", "e", "di", "du", "del", "della", "la", "le", "van", "von", "der",
    "den", "y",
})  # fmt: skip
_NUMERAL = re.compile(r"[IVX]{1,5}")
_WITHOUT_VOWEL = re.compile(r"[B-DF-HJ-NP-TV-XZ]+")
_PARTS = re.compile(r"([-'])")


def is_joining(word: str) -> bool:
    return word.lower() in _JOINING


def cased(text: str) -> str:
    """A word that mixes both is somebody's own way to write it, and stays."""
    words = text.split()
    return " ".join(_word(word, is_between=0 < n < len(words) - 1) for n, word in enumerate(words))


def _word(word: str, *, is_between: bool) -> str:
    if word not in {word.upper(), word.lower()}:
        return word
    if is_joining(word):
        return word.lower() if is_between else word.title()
    # Numbers of kings, and abbreviations such as BR and SQN.
    if _NUMERAL.fullmatch(word) or _WITHOUT_VOWEL.fullmatch(word):
        return word
    return "".join(part[:1].title() + part[1:].lower() for part in _PARTS.split(word))
