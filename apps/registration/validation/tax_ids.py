"""CPF and CNPJ, the latter with letters too, as it is given out since July 2026."""

import re
from collections.abc import Sequence

from django.utils.translation import gettext as _

from apps.registration.validation.characters import typed
from apps.registration.validation.refused import Refused

LONGEST = 60
_LABEL = re.compile(r"^(cpf|cnpj)\b[\s:]*", re.IGNORECASE)
_FILLERS = re.compile(r"[\s./-]")
_CPF = re.compile(r"[0-9]{11}")
_CNPJ = re.compile(r"[0-9A-Z]{12}[0-9]{2}")
# From the last character on, weights rise from 2, and begin again where they have reached these.
_WEIGHTS_OF_CPF, _WEIGHTS_OF_CNPJ = 10, 8


def read(text: str) -> str:
    written = _LABEL.sub("", typed(text))
    value = _FILLERS.sub("", written)
    value = value.upper() if value.isascii() else value
    if not is_cpf(value) and not is_cnpj(value):
        raise Refused("bad_tax_id", _("A CPF has 11 digits, a CNPJ 14 characters. Write all of them."))
    if len(set(value)) == 1 or not has_check_digits(value):
        raise Refused(
            "bad_check_digits", _("This CPF or CNPJ does not exist: a digit is wrong. Check it, please.")
        )
    return value


def is_cpf(value: str) -> bool:
    return _CPF.fullmatch(value) is not None


def is_cnpj(value: str) -> bool:
    return _CNPJ.fullmatch(value) is not None


def has_check_digits(value: str) -> bool:
    """Of a CPF or CNPJ: the last but one is reckoned from those before it, the last from all others."""
    weights = _WEIGHTS_OF_CPF if is_cpf(value) else _WEIGHTS_OF_CNPJ
    worth = [ord(character) - ord("0") for character in value]
    return all(_check_digit(worth[:at], weights) == worth[at] for at in (-2, -1))


def _check_digit(worth: Sequence[int], weights: int) -> int:
    rest = sum(one * (2 + n % weights) for n, one in enumerate(reversed(worth))) % 11
    return 0 if rest < 2 else 11 - rest
