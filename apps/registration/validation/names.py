"""Full names of people, in whatever letters."""

import re
import unicodedata

from django.utils.translation import gettext as _

from apps.registration.validation.casing import cased, is_joining
from apps.registration.validation.refused import Refused

LONGEST = 120
_APOSTROPHES = str.maketrans(dict.fromkeys("’‘´`", "'"))
_SIGNS = "'-. "
# Some scripts write vowels above letters; towers of them are no name.
_NAME = re.compile(r"(?:LM{0,2}(?:[-']|\.(?= |$))? ?)+")


def read(text: str) -> str:
    # Letters that only look decorated become plain ones.
    plain = unicodedata.normalize("NFKC", text.translate(_APOSTROPHES))
    name = " ".join(word for word in plain.split(" ") if word)
    if len(name) > LONGEST:
        raise Refused("too_long", _("Write your name in at most %(most)d characters.") % {"most": LONGEST})
    if any(character.isdigit() for character in name):
        raise Refused("digits", _("A name has no digits. Write your full name in letters."))
    if not _is_of_letters(name):
        raise Refused("bad_characters", _("Write your full name in letters only, such as Maria da Silva."))
    words = [word for word in name.split(" ") if not is_joining(word) and _is_word(word)]
    if len(words) < 2:
        raise Refused("incomplete", _("Write your full name: first name and surname."))
    return cased(name)


def _is_of_letters(name: str) -> bool:
    """Signs stand behind letters; dots only end a word, as in Jr., so that no address of a site is a name."""
    return _NAME.fullmatch("".join(map(_class, name))) is not None


def _class(character: str) -> str:
    """A letter, a mark upon one, or a sign that names have."""
    if character.isalpha():
        return "L"
    if unicodedata.category(character).startswith("M"):
        return "M"
    return character if character in _SIGNS else "?"


def _is_word(text: str) -> bool:
    """More than an initial; in other scripts one character may be a name."""
    return not text.isascii() or sum(character.isalpha() for character in text) > 1
