"""What stands in people's papers: CPF and CNPJ, and the date of birth."""

import re

from apps.core import clock
from apps.registration.kinds import Kind
from apps.registration.understanding.rules.contacts import looks_like_mobile
from apps.registration.understanding.rules.found import Found, Message
from apps.registration.understanding.rules.vocabulary import words
from apps.registration.validation.tax_ids import has_check_digits

_ALONE = r"(?<![\w.,/+-])%s(?![\w/-])"
_CPF = re.compile(_ALONE % r"\d{3}([. ])\d{3}\1\d{3}[-. /]?\d{2}")
# Letters have been in new ones since 2026.
_CNPJ = re.compile(_ALONE % r"[0-9a-z]{2}\.?[0-9a-z]{3}\.?[0-9a-z]{3}/[0-9a-z]{4}-?\d{2}")
_BARE = re.compile(_ALONE % r"(?:\d{14}|\d{11}|\d{9}-\d{2})")
_TAX_ID_BEFORE = re.compile(r"\b(?:cpf|cnpj|documento|tax id|doc)\b")

_MONTHS = words("""
    janeiro fevereiro marco abril maio junho julho agosto setembro outubro novembro dezembro
    january february march april may june july august september october november december
""")
_MONTH = rf"(?:{'|'.join([*sorted(_MONTHS), *sorted({each[:3] for each in _MONTHS})])})"
_DAY = (
    r"(?:\d{1,2}(?:st|nd|rd|th|o)?|primeiro|(?:vinte|trinta) e [a-z]{2,6}|vinte|trinta|dois|tres|quatro|cinco|seis"
    r"|sete|oito|nove|dez|[a-z]{2,5}ze|deze[a-z]{4,5}|dezoito)"
)
_YEAR = r"(\d{4}|\d{2})"
_DATES = tuple(
    re.compile(_ALONE % written)
    for written in (
        rf"\d{{1,2}} ?([/.-]) ?\d{{1,2}} ?\1 ?{_YEAR}",
        rf"\d{{1,2}} d[eo] \d{{1,2}} d[eo] {_YEAR}",
        r"(\d{4})-\d{2}-\d{2}",
        rf"{_DAY},? (?:de |of )?{_MONTH}\.?,? (?:de |do )?{_YEAR}",
        rf"{_MONTH}\.? \d{{1,2}}(?:st|nd|rd|th)?,? {_YEAR}",
    )
)
_BARE_DATE = re.compile(_ALONE % r"\d{8}")
_BORN_BEFORE = re.compile(r"\b(?:nasc\w*|niver|aniversario|born|birth\w*|dob)\b")
# A later date that nobody asked for is more likely one of an order or a visit.
_YOUNGEST_UNASKED = 5


def find_tax_ids(message: Message) -> None:
    for pattern in (_CNPJ, _CPF):
        for each in pattern.finditer(message.folded):
            message.add(Found(Kind.TAX_ID, each.start(), each.end()))
    for each in _BARE.finditer(message.folded):
        if _is_tax_id(message, each):
            message.add(Found(Kind.TAX_ID, each.start(), each.end()))


def find_birth_dates(message: Message) -> None:
    is_asked = message.asked.kind is Kind.BIRTH_DATE
    for pattern in _DATES:
        for each in pattern.finditer(message.folded):
            is_said = is_asked or message.is_named_before(_BORN_BEFORE, each.start())
            if is_said or _is_long_ago(each.groups()[-1]):
                message.add(Found(Kind.BIRTH_DATE, each.start(), each.end()))
    if is_asked and (bare := _BARE_DATE.fullmatch(message.folded)):
        message.add(Found(Kind.BIRTH_DATE, bare.start(), bare.end()))


def _is_tax_id(message: Message, written: re.Match[str]) -> bool:
    digits = written[0].replace("-", "")
    if len(digits) == 14 or len(written[0]) > len(digits):
        return True
    if message.asked.kind is Kind.TAX_ID or message.is_named_before(_TAX_ID_BEFORE, written.start()):
        return True
    return message.asked.kind is not Kind.PHONE and has_check_digits(digits) and not looks_like_mobile(digits)


def _is_long_ago(year: str) -> bool:
    return len(year) == 2 or int(year) <= clock.now().year - _YOUNGEST_UNASKED
