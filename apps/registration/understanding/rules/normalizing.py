"""One spelling for what people write in many: without accents, slang and slips of the finger."""

import re
import unicodedata
from functools import lru_cache
from itertools import islice

from apps.registration.understanding.reading import MOST_CHARACTERS
from apps.registration.understanding.rules.vocabulary import words

_SPACES = re.compile(r"[^\S\n]+")
_WORD = re.compile(r"#[a-z_]+|[a-z0-9]+|[👍👌👎✅❌🆗]")
_REPEATED = re.compile(r"([a-z])\1{2,}")

_SPELLINGS = {
    "nao": "n naum nop num",
    "sim": "s ss si sin simm siim",
    "ta": "tah esta estao tao tava",
    "e": "eh",
    "mesmo": "msm mesma",
    "tudo": "td tdo",
    "que": "q ke",
    "voce": "vc ce tu",
    "voces": "vcs",
    "pra": "pro",
    "porque": "pq",
    "ok": "okay okey oks 👌 🆗",
    "beleza": "blz bele",
    "sim ok": "👍 ✅",
    "nao no": "👎 ❌",
    "eu": "i",
    "email": "emails mail imeio emeio",
    "telefone": "tel fone cel celular whats whatsapp whatssap wpp zap zapzap phone mobile cell"
    " numero num number fixo",
    "endereco": "address end cep rua bairro cidade complemento ap apto apartamento bloco logradouro zip postcode",
    "nome": "name sobrenome surname nomes",
    "cpf": "cnpj documento doc taxid",
    "nascimento": "aniversario niver birthday birth birthdate dob",
    "data": "date",
    "atendente": "atendentes atendimento operador operadora",
}
_SPELLING = {written: word for word, many in _SPELLINGS.items() for written in many.split()}

# Long enough that one slip of the finger makes no other word of them.
_OFTEN_MISSPELT = words("""
    cadastro cadastrar cadastra inscrever inscricao registrar registro atualizar atualizacao telefone
    endereco nascimento atendente humano cancelar confirmar confirmo corrigir errado errada correto
    ajuda obrigado register account address update cancel correct confirm wrong mistake email
""")
_SHORTEST_MISSPELT = 5
# Whoever wants something says so before as many.
_MOST_WORDS = 300


def prepared(text: str) -> str:
    """As it is read: composed, bounded, with plain spaces and apostrophes."""
    composed = unicodedata.normalize("NFC", text[:MOST_CHARACTERS])[:MOST_CHARACTERS]
    plain = composed.replace("’", "'").replace("`", "'").replace("\u200b", " ").replace("\r", "\n")
    return _SPACES.sub(" ", plain).strip()


def folded(text: str) -> str:
    """Lower case without accents, each character in its place."""
    return "".join(map(_folded, text))


def canonical(text: str) -> str:
    """The words of a folded text, each in its one spelling."""
    joined = text.replace("e-mail", "email").replace("e mail ", "email ").replace("tax id", "taxid")
    # Without its apostrophe, "what's" would be a telephone.
    joined = joined.replace("what's", "what is").replace("'", "").replace("numero da casa", "endereco")
    return " ".join(_one_spelling(word[0]) for word in islice(_WORD.finditer(joined), _MOST_WORDS))


def compact(text: str) -> str:
    """Letters and digits only: whether something was written does not depend on the rest."""
    return "".join(each for each in folded(text) if each.isalnum())


@lru_cache(maxsize=4096)
def _folded(character: str) -> str:
    return unicodedata.normalize("NFD", character)[0].lower()[0]


@lru_cache(maxsize=4096)
def _one_spelling(word: str) -> str:
    if word.startswith("#"):
        return word
    if word not in _KNOWN:
        word = _REPEATED.sub(r"\1", word[:40])
    if word in _SPELLING:
        return _SPELLING[word]
    if len(word) < _SHORTEST_MISSPELT or word in _KNOWN:
        return word
    meant = next((known for each in _shortened(word) if (known := _MISSPELT.get(each))), word)
    return _SPELLING.get(meant, meant)


def _shortened(word: str) -> list[str]:
    """Itself, and without each of its letters: two words that share one are one slip apart, or nearly."""
    return [word, *(word[:n] + word[n + 1 :] for n in range(1, len(word)))]


_KNOWN = {*_OFTEN_MISSPELT, *words("cadastros cadastre cadastrei corrige corrija errados corrigindo humana ddd")}
_MISSPELT = {each: known for known in sorted(_OFTEN_MISSPELT) for each in _shortened(known)}
