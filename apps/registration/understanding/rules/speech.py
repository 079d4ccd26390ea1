"""What voice input leaves in words, as one writes it: "ana arroba exemplo ponto com", "nove nove oito …"."""

import re

from apps.registration.understanding.rules.normalizing import folded
from apps.registration.understanding.rules.vocabulary import words

_SIGNS = {
    "arroba": "@",
    "at": "@",
    "ponto": ".",
    "dot": ".",
    "underline": "_",
    "underscore": "_",
    "traco": "-",
    "hifen": "-",
    "dash": "-",
    "hyphen": "-",
}
_SAID = {
    "0": "zero",
    "1": "um one",
    "2": "dois two",
    "3": "tres three",
    "4": "quatro four",
    "5": "cinco five",
    "6": "seis meia six",
    "7": "sete seven",
    "8": "oito eight",
    "9": "nove nine",
    "10": "dez",
    "11": "onze",
    "12": "doze",
    "13": "treze",
    "14": "quatorze catorze",
    "15": "quinze",
    "16": "dezesseis",
    "17": "dezessete",
    "18": "dezoito",
    "19": "dezenove",
}
_DIGITS = {word: digits for digits, said in _SAID.items() for word in said.split()}
_TENS = {
    "vinte": "2",
    "trinta": "3",
    "quarenta": "4",
    "cinquenta": "5",
    "sessenta": "6",
    "setenta": "7",
    "oitenta": "8",
    "noventa": "9",
}
_FEWEST_DIGITS = 8

_WORD = re.compile(r"[\w@.+-]+")
_AROUND_AT = re.compile(r"(?<=[\w.]) ?@ ?(?=[\w-]+\.[a-zA-Z])")
# Where a spoken address begins: what stands before belongs to the sentence.
_BEFORE_AN_EMAIL = words("""
    e eh is o a meu my email mail imeio its anota ai sim yes com with no na pra para to at por de ola oi
    and mas but certo correto novo agora now outro tenho uso use
""")
_MOST_WORDS_BEFORE = 6


def written(text: str) -> str:
    return _digits(_emails(_AROUND_AT.sub("@", text)))


def _emails(text: str) -> str:
    words = list(_WORD.finditer(text))
    said = [folded(word[0]) for word in words]
    pieces: list[str] = []
    done = 0
    for at, word in enumerate(said):
        if word not in {"arroba", "at"} or not 0 < at < len(said) - 1 or words[at].start() < done:
            continue
        last = _last_of_domain(said, at)
        if last is None:
            continue
        first = _first_of_name(said, at)
        if first == at or words[first].start() < done:
            continue
        name = _name(said, words, first, at)
        domain = "".join(_SIGNS.get(each, words[n][0]) for n, each in enumerate(said[at + 1 : last + 1], at + 1))
        pieces += text[done : words[first].start()], f"{name}@{domain}"
        done = words[last].end()
    return "".join([*pieces, text[done:]]).replace(" tudo junto", "")


def _name(said: list[str], words: list[re.Match[str]], at: int, end: int) -> str:
    """With its signs and numbers as one types them."""
    name = ""
    while at < end:
        number = _number(said, at)
        name += number[0] if number else _SIGNS.get(said[at], words[at][0])
        at += number[1] if number else 1
    return name


def _last_of_domain(said: list[str], at: int) -> int | None:
    """The domain goes on for as long as every other word is a dot."""
    last = at + 1
    while last + 2 < len(said) and said[last + 1] in {"ponto", "dot"}:
        last += 2
    return last if last > at + 1 or "." in said[last] else None


def _first_of_name(said: list[str], at: int) -> int:
    first = at
    while first > 0 and at - first < _MOST_WORDS_BEFORE * 2:
        before = said[first - 1]
        joins = _SIGNS.get(before, "@") != "@" or (first < at and _SIGNS.get(said[first], "@") != "@")
        is_number = before == "e" and first > 1 and said[first - 2] in _TENS
        if is_number:
            first -= 2
            continue
        if "@" in before or (not joins and (before in _BEFORE_AN_EMAIL or at - first >= _MOST_WORDS_BEFORE)):
            break
        first -= 1
    return first


def _digits(text: str) -> str:
    """Runs of spoken digits. Fewer are words of a sentence."""
    words = list(_WORD.finditer(text))
    said = [folded(word[0]) for word in words]
    pieces: list[str] = []
    done = at = 0
    while at < len(said):
        first, digits = at, ""
        while number := _number(said, at):
            digits += number[0]
            at += number[1]
        if len(digits) >= _FEWEST_DIGITS:
            pieces += text[done : words[first].start()], digits
            done = words[at - 1].end()
        at = max(at, first + 1)
    return "".join([*pieces, text[done:]])


def _number(said: list[str], at: int) -> tuple[str, int] | None:
    """The digits that are said at this place, and in how many words: "vinte e um" is 21."""
    if at >= len(said):
        return None
    tens = _TENS.get(said[at])
    if tens is None:
        return (_DIGITS[said[at]], 1) if said[at] in _DIGITS else None
    if at + 2 < len(said) and said[at + 1] == "e" and len(_DIGITS.get(said[at + 2], "")) == 1:
        return tens + _DIGITS[said[at + 2]], 3
    return f"{tens}0", 1
