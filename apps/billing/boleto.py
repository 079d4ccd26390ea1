"""The line of digits by which a boleto is paid, with the check digits that banks put into it."""

import re

_FILLERS = re.compile(r"[\s.-]")
_DIGITS = re.compile(r"[0-9]+")
BANK, UTILITY = 47, 48


def digits_of(text: str) -> str:
    """Without what people write between them."""
    return _FILLERS.sub("", text)


def is_line(digits: str) -> bool:
    if not _DIGITS.fullmatch(digits):
        return False
    if len(digits) == BANK:
        return _is_bank_line(digits)
    return len(digits) == UTILITY and digits[0] == "8" and _is_utility_line(digits)


def _is_bank_line(line: str) -> bool:
    """Three blocks with a digit each, and one of all that the bar code says."""
    blocks = ((line[0:9], line[9]), (line[10:20], line[20]), (line[21:31], line[31]))
    bar_code = line[0:4] + line[33:47] + line[4:9] + line[10:20] + line[21:31]
    whole = 11 - _modulo_11(bar_code)
    return all(_modulo_10(block) == digit for block, digit in blocks) and line[32] == str(
        whole if 1 < whole < 10 else 1
    )


def _is_utility_line(line: str) -> bool:
    """Four blocks of eleven with a digit each; the third digit says how those are reckoned."""
    if line[2] not in "6789":
        return False
    digit = _modulo_10 if line[2] in "67" else _utility_modulo_11
    blocks = [line[at : at + 12] for at in range(0, UTILITY, 12)]
    bar_code = "".join(block[:11] for block in blocks)
    is_whole = digit(bar_code[:3] + bar_code[4:]) == bar_code[3]
    return is_whole and all(digit(block[:11]) == block[11] for block in blocks)


def _modulo_10(digits: str) -> str:
    total = 0
    for n, digit in enumerate(reversed(digits)):
        product = int(digit) * (2 if n % 2 == 0 else 1)
        total += product // 10 + product % 10
    return str(-total % 10)


def _modulo_11(digits: str) -> int:
    return sum(int(digit) * (2 + n % 8) for n, digit in enumerate(reversed(digits))) % 11


def _utility_modulo_11(digits: str) -> str:
    rest = _modulo_11(digits)
    return "0" if rest < 2 else str(11 - rest)
