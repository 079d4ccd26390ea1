"""Postal addresses in a message: from the street on, as far as it goes."""

import re

from apps.registration.kinds import Kind
from apps.registration.understanding.rules.found import Found, Message

_STREET = re.compile(
    r"(?<!\w)(?:(?:rua|avenida|av|travessa|tv|alameda|praca|pca|rodovia|rod|estrada|largo|quadra|qd|viela|beco|ladeira"
    r"|servidao|sitio|fazenda|condominio|conjunto)\b\.?|r\.|al\.) ?(?=[\w])"
)
_ENGLISH_STREET = re.compile(
    r"(?<![\w.,/-])\d{1,5}[a-z]? (?:[a-z'.]{1,20} ){1,4}"
    r"(?:street|st|road|rd|avenue|ave|lane|ln|drive|dr|boulevard|blvd|court|ct|square|place|way|terrace)\b\.?"
)
_LEAD = re.compile(
    r"\b(?:moro|resido|endereco(?: novo| completo| certo| correto)?|live|address)"
    r" ?(?:(?:na|no|em|e|at|in|on|is)\b|:) ?(?:a |o |at )?"
)
_CEP = re.compile(r"(?<![\w.,/+-])\d{5}-\d{3}(?![\w/-])")
_BARE_CEP = re.compile(r"(?<![\w.,/+-])\d{8}(?![\w/-])")
_CEP_BEFORE = re.compile(r"\bcep\b")

# What comes after an address in the same breath.
_GOES_ON = re.compile(
    r",? (?:e|and) (?:o |a |os |as )?(?:meu|minha|nasci|my|sou|me chamo|email|e-mail|cpf|cnpj|telefone|tel"
    r"|zap|whats|cel|nome|i was|i am|i'm|born)\b"
    r"|,? (?:meu|minha|my) (?:email|e-mail|mail|cpf|cnpj|tel|zap|whats|cel|nome|name|phone|data|numero)"
    r"|,? (?:cpf|cnpj|email|e-mail|tel|telefone|celular|cel|whats|whatsapp|zap|fone|phone|nasci|nascid[oa]|born)\b"
    r"|,? (?:por favor|pfv|please|obrigad[oa]|thanks|viu|ta bom|blz)\b"
    r"|\n ?[a-z -]{2,20}:|\n ?\n|[;!?](?: |$)|(?<=\w{4})\. (?=\w)|[{}<>\"]"
)
_FEWEST_WORDS = 2


def find_addresses(message: Message) -> None:
    start = _start(message)
    if start is not None:
        _add(message, start)
    for each in _CEP.finditer(message.text):
        message.add(Found(Kind.POSTAL_ADDRESS, each.start(), each.end()))
    for each in _BARE_CEP.finditer(message.text):
        is_asked = message.asked.kind is Kind.POSTAL_ADDRESS
        if is_asked or message.is_named_before(_CEP_BEFORE, each.start(), 12):
            message.add(Found(Kind.POSTAL_ADDRESS, each.start(), each.end()))


def find_bare_address(message: Message) -> None:
    """An answer without a street that one knows by its word: where an address was asked for."""
    if message.of(Kind.POSTAL_ADDRESS) or message.text.endswith("?"):
        return
    has_parts = any(each.isdigit() for each in message.text) or message.text.count(",") > 1
    if has_parts and len(message.text.split()) >= _FEWEST_WORDS and not message.found:
        message.add(Found(Kind.POSTAL_ADDRESS, 0, len(message.text), is_well_formed=False))


def _start(message: Message) -> int | None:
    starts = [
        each.start() for each in (_STREET.search(message.folded), _ENGLISH_STREET.search(message.folded)) if each
    ]
    lead = _LEAD.search(message.folded)
    if lead and (not starts or lead.end() < min(starts)):
        starts.append(lead.end())
    return min(starts, default=None)


def _add(message: Message, start: int) -> None:
    end = message.next_after(start)
    if goes_on := _GOES_ON.search(message.folded, start, end):
        end = goes_on.start()
    end = start + len(message.text[start:end].rstrip(" ,.;:-\n("))
    address = message.folded[start:end]
    # Without a number it may be any sentence with a street in it.
    has_number = any(each.isdigit() for each in address) or "s/n" in address or "sem numero" in address
    if has_number or address.count(",") > 1:
        message.add(Found(Kind.POSTAL_ADDRESS, start, end))
