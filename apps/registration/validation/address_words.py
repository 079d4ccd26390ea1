"""The words by which parts of a Brazilian address are known."""

import re

from apps.registration.validation.characters import folded

_STREET_TYPES = frozenset({
    "rua", "r", "avenida", "av", "aven", "alameda", "al", "travessa", "tv", "trav", "praca", "pca",
    "pc", "rodovia", "rod", "estrada", "est", "estr", "largo", "lgo", "viela", "beco", "ladeira", "lad",
    "via", "passagem", "servidao", "escadaria", "parque", "br", "quadra", "qd", "setor",
})  # fmt: skip
# Behind something else, these begin the name of a district, or a complement.
_FIRST_OF_ALL = frozenset({"via", "parque", "largo", "setor", "quadra", "qd"})
# Where Brasília has no streets but blocks.
_BLOCKS = frozenset({
    "sqs", "sqn", "sqsw", "shis", "shin", "shcgn", "clsw", "cls", "cln", "qnm", "qnn", "qnl", "qi",
    "ql", "qr",
})  # fmt: skip
_LOT = re.compile(r"(lote|lt)\b", re.IGNORECASE)
_PLAIN_STREET = re.compile(r"\b(rua|avenida|av\.|alameda|travessa|praça|praca|rodovia|estrada)\s", re.IGNORECASE)
NO_NUMBER = "S/N"
_NO_NUMBER = r"s\s?/\s?n\b[º°o]?\.?|sem n[uú]mero"
NUMBER = re.compile(
    r"(?:(?:n[º°o]?\.?|n[uú]mero|num\.?|#)\s?:?\s?)?"
    rf"(?P<number>{_NO_NUMBER}|km\s?\d{{1,4}}(?:\.\d{{1,3}})?|\d{{1,3}}\.\d{{3}}|\d{{1,6}}(?:\s?-?\s?[a-z])?)(?!\w)",
    re.IGNORECASE,
)
_UNIT = r"(?:\d{1,5}[a-z]?|[a-z]\d{0,4})(?:-\w{1,3})?\b"
# Such as "apto 12" and "fundos".
_NUMBERED = (
    r"(?:apartamento|apart|apto|ap|bloco|bl|casa|cs|sala|sl|conjunto|conj|cj|andar|loja|lj|lote|lt|torre|quadra|qd"
    rf"|box|unidade|galp[aã]o|chal[eé])\b\.?\s?(?:n[º°o]\.?\s?)?{_UNIT}"
)
COMPLEMENT = re.compile(
    rf"(?:{_NUMBERED}|\d{{1,2}}\s?[º°ªo]?\s?andar|fundos|frente|cobertura|t[eé]rreo|sobrado|casa)(?!\w)",
    re.IGNORECASE,
)
# Behind a street's name, unless it is of that name, such as in "Rua da Torre 10".
COMPLEMENT_BEHIND = re.compile(rf"(?<=\w )(?<! d[aeo] )(?<! d[ao]s ){_NUMBERED}", re.IGNORECASE)
_BUILDING = re.compile(r"(?:edif[ií]cio|ed|condom[ií]nio|cond|residencial|complemento)\b[.:]?\s", re.IGNORECASE)
LABEL = re.compile(
    r"(?P<label>rua|bairro|cidade|munic[ií]pio|estado|uf|n[uú]mero|complemento|endere[cç]o|logradouro)\s?:\s?",
    re.IGNORECASE,
)
DISTRICT = re.compile(r"bairro\s", re.IGNORECASE)
# No town is called so.
_NEVER_A_CITY = re.compile(r"centro|zona (rural|norte|sul|leste|oeste)|(jd|jardim|pq|vl)\b\.? .+", re.IGNORECASE)
COUNTRY = frozenset({"brasil", "brazil"})


def is_street_type(word: str) -> bool:
    return folded(word).strip(".-") in _STREET_TYPES | _BLOCKS


def is_numberless(street: str, complements: list[str]) -> bool:
    """Houses are found by lot or block there."""
    is_lot = any(_LOT.match(complement) for complement in complements)
    return bool(street) and (is_lot or folded(street.split(" ", 1)[0]) in _BLOCKS)


def street_start(text: str, *, is_first: bool) -> int | None:
    """Where a street begins; None where none is named as one."""
    first = text.split(" ", 1)[0]
    if is_street_type(first) and " " in text and (is_first or folded(first) not in _FIRST_OF_ALL):
        return 0
    named = _PLAIN_STREET.search(text)
    return named.start() if named else None


def is_complement(text: str) -> bool:
    return COMPLEMENT.fullmatch(text) is not None or _BUILDING.match(text) is not None


def is_never_a_city(text: str) -> bool:
    return _NEVER_A_CITY.fullmatch(text) is not None
