"""In which Brazilian state a telephone number was given out: what is known of people who never said."""

import re

_CODES = {
    "AC": "68",
    "AL": "82",
    "AM": "92 97",
    "AP": "96",
    "BA": "71 73 74 75 77",
    "CE": "85 88",
    "DF": "61",
    "ES": "27 28",
    "GO": "62 64",
    "MA": "98 99",
    "MG": "31 32 33 34 35 37 38",
    "MS": "67",
    "MT": "65 66",
    "PA": "91 93 94",
    "PB": "83",
    "PE": "81 87",
    "PI": "86 89",
    "PR": "41 42 43 44 45 46",
    "RJ": "21 22 24",
    "RN": "84",
    "RO": "69",
    "RR": "95",
    "RS": "51 53 54 55",
    "SC": "47 48 49",
    "SE": "79",
    "SP": "11 12 13 14 15 16 17 18 19",
    "TO": "63",
}
STATES = frozenset(_CODES)
_STATE_BY_CODE = {code: state for state, codes in _CODES.items() for code in codes.split()}
# Old mobile numbers and lines at home have eight digits after the area code, mobile numbers nine.
_BRAZILIAN = re.compile(r"\+55([1-9][1-9])[2-9][0-9]{7,8}")


def state_of(phone: str) -> str:
    """Two letters; empty where the number is not Brazilian, or belongs to no place."""
    number = _BRAZILIAN.fullmatch(phone)
    return _STATE_BY_CODE.get(number[1], "") if number else ""
