"""A yes or a no: as all of a message, or with more after it. The words are in their one spelling."""

import re

from apps.registration.understanding.reading import Asked, Intent
from apps.registration.understanding.rules.vocabulary import words as word_set

# A message of nothing but these is a yes, or a no, as soon as one of the first kind is among them.
_YES = word_set("""
    sim isso certo certinho correto corretos ok beleza aham uhum exato exatamente positivo confirmo
    confirma confirmar confirmado confirmada otimo perfeito fechou fechado claro certeza joia yes
    yeah yep yup ya sure right correct confirmed confirm perfect good fine absolutely exactly great
    looks bateu show ahead pode podemos vamos vamo bora vambora partiu concordo aceito autorizo topo agree agreed
    accept course
""")
_WITH_YES = word_set("""
    mesmo ai e ta tudo com dados os meu meus estao estou to salvar mandar seguir prosseguir continuar comecar quero
    la that thats its it is all sounds look me very of por mim favor please obrigado obrigada obg valeu thanks
    thank you eu viu entao go on muito bem li cadastro termos perguntar perguntas as a
""")
_NO = word_set("""
    nao no nope nah negativo nada nunca nenhum never not dont discordo disagree
""")
_WITH_NO = word_set("""
    disso a ver ainda ta certo correto e isso ess confirmo de jeito quero mesmo obrigado obrigada it is
    its thats that right correct really yet thanks thank you ok good sim concordo aceito autorizo agree claro eu
    agora now hoje acho melhor que think pode podemos vamos
""")
# To "may we go on?" these are answers as well.
_GO_ON = word_set("""
    quero continuar continue prossiga seguir comecar
""")
_LATER = word_set("""
    depois later amanha tomorrow
""")
_WITH_LATER = word_set("""
    so melhor eu faco vejo respondo falo isso quem sabe por favor please obrigado obrigada thanks
""")
# What is said in several words, by the one that says as much.
_PHRASES = {
    "claro": re.compile(r"\bclaro que\b"),
    "": re.compile(r"\b(?:why not|(?:por que|porque) nao)\b"),
    "ok": re.compile(
        r"^ta$|\bta (?:bem|bom)\b|\b(?:tudo bem|de acordo|pode ser|sem problemas?|no problem|lets (?:go|do it))\b"
    ),
    "depois": re.compile(
        r"\b(?:(?:mais|bem) tarde|outr[oa] (?:hora|dia|momento)|(?:an|some )other (?:time|day))\b"
    ),
}

_YES_THEN = re.compile(
    r"(?:e )?(?:sim|show|isso mesmo|isso ai|aham|claro|perfeito|exato|yes|yeah|vai (?:fundo|nessa|em frente)"
    r"|(?:eu )?(?:aceito|concordo|autorizo|agree)|manda (?:ver|bala)"
    r"|pode (?:mandar|seguir|prosseguir|salvar|gravar|enviar|confirmar|finalizar|continuar|comecar|perguntar))\b"
)
_NO_THEN = re.compile(
    r"(?:h[um]+ )?(?:nao|nem|no|nope|negativo)\b(?! (?:sei|lembro|tenho certeza|faco ideia|idea))"
)
_TAKES_BACK = word_set("""
    mas porem nao but except not nem espera wait depois perai parte partly parar pare stop sair
""")
_LIMITS_A_YES = _TAKES_BACK | word_set("""
    no so only
""")
# Where the values begin that somebody gives along with a yes.
_GIVEN = re.compile(
    r"\b(?:nome|email|telefone|cpf|endereco|nascimento|data|sou|me|moro|nasci|meus?|minhas?|my|aqui|im)\b|#"
)
# Of what could be changed, nothing shall be.
_KEEPS_ALL = re.compile(
    r"\b(?:deixa|(?<!nao )(?:deixe|(?<!nao pode )deixar|fica|mantem|mantenha)) (?:tudo )?"
    r"(?:assim|como (?:ta|e)|do jeito que ta|igual)\b(?! nao)"
    r"|\b(?:leave|keep) (?:it|that|everything|them|all) (?:all )?(?:as|like|the way)\b"
    r"|^(?:no )?nothing(?: (?:else|to change))?(?: (?:leave|keep) (?:it|that|everything|them))?$|^no changes?$"
    r"|\bnao (?:quero|preciso|precisa|vou) (?:mudar|mexer|trocar|alterar)(?: em| mais)? nada\b"
    r"|^nada (?:a|pra|para) (?:mudar|trocar|alterar)\b"
)
_MOST_WORDS = 9
_MOST_WORDS_AFTER_NO = 5


def plain(words: str, asked: Asked) -> Intent | None:
    """A yes or a no without anything else."""
    for word, phrase in _PHRASES.items():
        words = phrase.sub(word, words)
    said = words.split()
    if len(said) > _MOST_WORDS:
        return None
    if _is_of(said, _NO, _WITH_NO) or (asked.is_consent and _is_of(said, _LATER, _WITH_LATER)):
        return Intent.DENY
    yes = _YES | _GO_ON if asked.is_consent else _YES
    return Intent.CONFIRM if _is_of(said, yes, _WITH_YES) else None


def agrees(words: str) -> bool:
    """To "may we go on?", whatever is given along with it."""
    said = words.split()
    if not _TAKES_BACK.isdisjoint(said):
        return False
    opening = _GIVEN.split(words, maxsplit=1)[0]
    if "#" in words and plain(opening, Asked(is_consent=True)) is Intent.CONFIRM:
        return True
    return len(said) <= _MOST_WORDS and bool(_YES_THEN.match(words))


def keeps_all(words: str) -> bool:
    """To "what do you want to change?"."""
    return bool(_KEEPS_ALL.search(words))


def loose(words: str, asked: Asked, *, is_of_one: bool) -> Intent | None:
    """With more words after it that limit it in nothing. `is_of_one`: one datum is named, rather than all."""
    said = words.split()
    if "#" in words or not (asked.is_summary or asked.is_consent):
        return None
    is_limited = is_of_one or not _LIMITS_A_YES.isdisjoint(said)
    if len(said) <= _MOST_WORDS and _YES_THEN.match(words) and not is_limited:
        return Intent.CONFIRM
    return Intent.DENY if len(said) <= _MOST_WORDS_AFTER_NO and _NO_THEN.match(words) else None


def _is_of(said: list[str], some: frozenset[str], beside: frozenset[str]) -> bool:
    return not some.isdisjoint(said) and (some | beside).issuperset(said)
