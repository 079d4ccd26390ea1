"""What somebody wants, from the words around the values. The words are in their one spelling."""

import re
from collections.abc import Sequence

from apps.registration.kinds import Kind
from apps.registration.understanding.reading import Asked, Intent
from apps.registration.understanding.rules import answers
from apps.registration.understanding.rules.vocabulary import words as word_set

_NAMED = {
    "nome": Kind.NAME,
    "email": Kind.EMAIL,
    "telefone": Kind.PHONE,
    "cpf": Kind.TAX_ID,
    "endereco": Kind.POSTAL_ADDRESS,
    "moro": Kind.POSTAL_ADDRESS,
    "nascimento": Kind.BIRTH_DATE,
    "nasci": Kind.BIRTH_DATE,
    "data": Kind.BIRTH_DATE,
}
_DATUM = r"(?:nome|email|telefone|cpf|endereco|nascimento|data)"
_VALUE = r"#(?:name|email|phone|tax_id|postal_address|birth_date)"


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns))


_TO_THE_MACHINE = _any(
    r"^\s*[{\[<`]",
    r"\b(?:system|assistant|user)\s*:",
    r"\bintent\b",
    r"\b(?:ignor\w+|esquec\w+|desconsider\w+|forget|disregard)\b.{0,40}\b(?:instruc\w+|instruct\w+|rules?|regras?)",
    r"\b(?:system prompt|(?:your|new) instructions|act as|you are now|repeat after|developer mode)\b",
    r"\b(?:a partir de agora voce|finja|invente|pretend|override|(?:answer|reply|respond) only)\b",
)

_STOP = _any(
    r"(?<!nao )\bcancel(?:a|ar|e|o|em)?\b",
    r"\bnao quero (?:mais|continuar|seguir|receber|participar|(?:me |fazer )(?:o )?cadastr\w+)\b",
    r"\bdesist(?:o|i|ir)\b",
    r"\bdeixa (?:pra|para|quieto)\b",
    r"\bpar(?:a|e|em) (?:de|com)\b",
    r"\bnao (?:me |quero )?(?:mand|envi|receb)\w* (?:mais|nada)",
    r"\bquero (?:sair|parar|desistir)\b",
    r"\b(?:tira|tire|remove|remova) (?:da|dessa|desta) lista\b|\bme (?:tira|tire|remove|remova|descadastr\w+)\b",
    r"\b(?:apag|exclu|delet)\w* (?:os )?(?:meus dados|meu cadastro|my data|my account)\b",
    r"\besquec[ea] (?:isso|tudo)\b|\bforget (?:it|about it)\b",
    r"\b(?:dont|do not) want (?:to (?:continue|go on|register)|this|it|any ?more)\b",
    r"^(?:please )?stop\b|\bstop(?: please)?$|\bunsubscribe\b|\bopt out\b|\bdelete my\b",
    r"\bdeix\w+ em paz\b|\bleave me\b|\blarga do\b",
    r"\b(?:nao tenho|sem|no|not) interes\w+|\b(?:nao precisa|nao preciso|no longer)\b.{0,10}\b(?:mais|need\w*)\b",
    r"^(?:par[ae]|parar|sair|chega|basta|esquec[ae]|quit|exit|descadastrar|remover)(?: por favor| please)?$",
)
_HUMAN = _any(
    r"\b(?:atendente|humano|humana|human|supervisor|gerente|vendedora?|consultora?|operator|representative|ouvidoria)\b",
    r"\b(?:alguem|ninguem|anyone|anybody|nobody)\b.{0,12}\b(?:ai|aqui|there|here|atend\w+|answer\w*)\b",
    r"\breclam(?:ar|acao)\b|\bcomplain\w*|\bme lig(?:a|ue)\b|\bcall me(?: back)?$",
    r"\b(?:um|voce|a|you) (?:robo|bot)\b",
    r"\b(?:fal(?:ar|o)|conversar|(?:talk|speak|chat)(?: to| with)?) (?:com|a|an|the|some|to|with) ?\w*",
    r"\b(?:pessoa|gente|person) (?:de verdade|real)\b|\breal person\b|\b(?:talk|speak) to\b",
    r"\b(?:passa|transfere|chama|tem)\b.{0,20}\b(?:pessoa|alguem|gente)\b",
    r"^(?:an |um )?(?:agente?|suporte|support|someone|pessoa|alguem)\b.{0,10}$|\bsuporte humano\b",
)
_REGISTER = _any(
    r"\bme (?:cadastr|inscre|inscri|registr)\w*",
    r"\b(?:quero|queria|gostaria|fazer|faz|preciso|abrir|da|como|posso|criar|cria|iniciar|abre|dar)\b.{0,30}"
    r"(?<!sem )\b(?:cadastr\w+|inscri\w+|inscrev\w+|registr\w+)\b(?! uma? | d[eo] (?!meu|client|membr|soci|nov))",
    # Alone, an account is a bill as well.
    r"\b(?:abr\w+|cri\w+) (?:(?:a|minha|uma|nova) )*conta\b",
    r"\b(?:virar|viro|ser|become|becoming) (?:um |uma |a )?(?:cliente|membro|soci[oa]|member|client|customer)\b",
    r"\bjoin(?: now| please| up)*$",
    r"\bjoin (?:(?:the|your|a) )?(?:\w+ )?(?:club|program\w*|community|group|list|team)\b",
    r"\b(?:participar|entrar)\b.{0,10}\b(?:programa|clube|grupo|promocao|lista)\b",
    r"\b(?:fa[zc]\w*|preench\w+|abr\w+) (?:a |minha |uma )*ficha\b",
    r"\bdeixar (?:o |os )?meus? (?:contato|dados)\b",
    r"^(?:o |novo )?(?:cadastr(?:o|ar|a|e)|registr(?:o|ar)|inscricao|inscrever)$",
    r"\bnao (?:tenho|sou|fiz) (?:ainda )?(?:o )?cadastr\w+",
    r"\b(?:sign|signing) (?:me )?up\b|\bsignup\b|\bregister\b|\benroll?\b",
    r"\b(?:create|open|make)(?: an?| my| new){0,2} account\b",
)
_CHANGES = (
    r"\b(?:mud(?:ei|ar|ou|aram|a|o|e|anca)|atualiz\w*|atualis\w*|tro(?:car|quei|co|ca|cou|que)|alter(?:ar|ei|a|e|o|ou|acao)"
    r"|chang(?:e|ed|ing)|updat(?:e|ed|ing))\b"
)
_UPDATE = _any(
    rf"{_CHANGES}.{{0,40}}\b(?:{_DATUM}|dados|cadastr\w*|informac\w+|details|info|information|profile|account)\b",
    rf"\b(?:{_DATUM}|dados|details) .{{0,15}}(?:mudou|mudaram|changed|has changed|trocou)\b",
    rf"\b(?:have|has|got|tenho|ta com|to com|com) (?:a |um |uma )?(?:new|novo|nova|outr[oa]) {_DATUM}",
    rf"\bto com {_DATUM} nov[oa]\b|\b{_DATUM} agora e outr[oa]\b",
    rf"\b{_DATUM}.{{0,20}}\b(?:antig[oa]|old|velh[oa])\b",
    rf"\b(?:perdi|lost|nao (?:uso|tenho) mais)\b.{{0,20}}\b{_DATUM}\b|\b(?:arrum|ajeit)\w+ .{{0,10}}{_DATUM}\b",
    r"^atualiz\w+ cadastr\w+$",
)
_MOVED = _any(
    r"\bme mudei\b|\bnao moro mais\b|\bmudei (?:de casa|pra|para|#postal_address)",
    r"\beu (?:have )?(?:just )?moved\b|\bwe moved\b",
    r"\bcasa nova\b|\bnew (?:home|house|place)\b",
)
_WRONG = r"(?:errad[oa]s?|incorret[oa]s?|wrong|incorrect|trocad[oa])"
_CORRECT = _any(
    rf"\b{_WRONG}\b",
    r"\b(?:errei|erro|corrig\w*|corrij\w*|correcao|enganei|engano|equivoquei|mistake|mistyped|typo|actually)\b",
    r"\b(?:falt(?:ou|a|ando)|confund\w+|inverti\w*|missing|misspel\w+|spelled)\b",
    rf"\b{_DATUM} (?:se )?(?:e|escreve) com\b|{_VALUE} e nao\b",
    r"\bna verdade\b|\bdigitei mal\b|\bfix (?:my|the)\b",
    rf"\b{_DATUM} (?:\w+ )?nao (?:e|ta) (?:ess[ea]|est[ea]|cert[oa]|corret[oa]|bem)\b",
    rf"\b{_DATUM} (?:e|is) (?:outr[oa]|another)\b|\b{_DATUM} (?:certo|certa|correto|correta) e\b",
    rf"\b(?:cert[oa]|corret[oa]) e {_VALUE}|{_VALUE} e (?:o |a )?(?:cert[oa]|corret[oa])",
    rf"^(?:nao|no) .*{_VALUE}",
    r"\bcoisa (?:errada|estranha)\b|\bnot my\b",
)
_THE = r"(?:(?:o|a|os|as|the|my|meu|minha|meus) )*"
_ONLY = r"(?:so|somente|apenas|only|just)"
# What is shown is right but for this.
_POINTS_AT = _any(
    rf"^(?:(?:e|foi|its|{_ONLY}) )*{_THE}{_DATUM}(?: (?:e|and) {_THE}{_DATUM})*(?: (?:mesmo|so|nao|please))*$",
    rf"\b(?:{_ONLY}|menos|exceto|fora|tirando|salvo|except|but) (?:(?:for|com|em|no|na) )?{_THE}{_DATUM}\b"
    r"(?! (?:(?:que|ta|e|is) )*(?:cert|corret|right|correct|ok))",
)
# Where nothing is open, people write of much else that is wrong or to be changed, with names and dates of its own.
_ELSEWHERE = _any(
    r"\b(?:pedidos?|encomendas?|compr\w+|produtos?|entreg\w+|frete|notas?|fiscal|boletos?|faturas?|cobranc\w+)\b",
    r"\b(?:pix|pag(?:ar|uei|ou|o|amentos?)|cart(?:ao|oes)|reservas?|consulta|agend\w+|mesa|comanda|recibo|cupom)\b",
    r"\b(?:etiqueta|rastre\w+|garantia|d[ea] (?:voces|loja)|voces mudaram|(?:no|on) (?:meu|my) telefone)\b",
    r"(?<!\bin )\borders?\b|\b(?:deliver\w*|invoices?|bills?|receipts?|payments?|packages?|parcels?|refunds?)\b",
    r"\b(?:shipping|shipment|card|bookings?|appointments?|purchases?|products?|items?|label|your \w+)\b",
    r"(?<!nascimento )\bdata\b(?!.{0,6} nasc)",
)
_OWN = rf"(?:{_DATUM}|dados|details|cadastro|registration)"
_OWN_IS_WRONG = _any(
    rf"\b(?:meus?|minhas?|my) (?:\w+ )?{_OWN}\b",
    rf"\b{_OWN} (?:\w+ ){{0,2}}{_WRONG}\b|\b{_WRONG} {_OWN}\b",
    rf"\b(?:errei|corrig\w+|corrij\w+|correct|fix) (?:\w+ )?{_OWN}\b",
)
_HELP = _any(
    r"\b(?:me ajud\w*|ajuda|ajudar|socorro|help)\b",
    r"\bcomo (?:funciona|assim|faco|faz|que faz|isso funciona|preencho)\b",
    r"\bnao (?:entendi|entendo|compreendi|sei (?:o que|como|onde|qual|aonde))\b",
    r"\b(?:pra|para) que (?:voces?|serve|precisa\w*|quer\w*|isso|e|pedem)\b",
    r"\b(?:por que|porque)\b.{0,30}\b(?:precisa\w*|quer\w*|ped\w+|isso)\b",
    rf"\b(?:pra|para) (?:que|colocar|por|mandar|informar)\b.{{0,20}}(?:{_DATUM}|ddd|ponto)",
    r"\bo que (?:e (?:isso|iss|esse|esta|um)|eu faco|faco|significa|devo)\b",
    r"\bqual(?: o)? formato\b|\bque formato\b",
    r"\bquem (?:e|sao) voces?\b|\bperdid[oa]\b|\bwhat (?:do you mean|is this|is a|does|should i|should eu)\b",
    r"\b(?:duvida\w*|explic\w+|explain|nao (?:ta |to |estou )?consegu\w+|seguro|safe|captei)\b",
    r"\bo que (?:(?:voces?|vao|e) )*(?:faz\w*|feito|acontece)\b|\bwhat (?:for|happens|(?:do|will|would) you)\b",
    r"\bquem (?:mais )?(?:tem|tera|ve|vai ver|pode ver|recebe|usa)\b|\bwho (?:has|can|will|gets|sees|else)\b",
    rf"\b(?:por que|porque) (?:(?:o|a|meu|minha|d[eoa]) )*{_DATUM}\b|\b(?:finalidade|golpe|fraude|scam)\b",
    r"\b(?:onde|aonde) (?:eu )?(?:encontr|ach|vej|fica|peg)\w*|\bwhere (?:can|do) (?:i|eu) (?:find|get)\b",
    r"^(?:ha|hein|ue|oxe|what|huh)$",
    r"\bwhy\b|\bhow does\b|\b(?:dont|do not) (?:understand|get it)\b|\bwhat is (?:a|an|the)\b",
)
_REFUSES = _any(
    r"\bprefiro nao\b|\b(?:rather|prefer) not\b|\bno way\b",
    r"\bnao (?:quero|vou|posso|gostaria de|desejo) (?:te )?"
    r"(?:pass|inform|diz|dar|fal|fornec|compartilh|respond|mand)\w*",
    r"\b(?:pul(?:a|ar|o|e)|skip|melhor (?:nao )?deixar|deixar sem)\b|^(?:eu )?passo$",
    rf"\bnao (?:tenho|uso|possuo|sei) (?:o |um |meu )?{_DATUM}\b",
    r"^(?:ainda |eu )?nao (?:tenho|possuo|uso)(?: (?:nenhum|nenhuma|isso|esse|essa|um|uma|nao))*$",
    r"\b(?:dont|do not) (?:have|use)\b|\b(?:dont|do not|wont) (?:want to )?(?:share|say|tell|give)\b",
)

_PLAIN_COMMANDS = (
    (
        Intent.STOP,
        re.compile(
            r"(?:eu )?(?:quero |want to )?(?:par[ae]|parar|sair|desisto|desisti|desistir|stop|quit|exit"
            r"|unsubscribe|descadastrar|cancel(?:ar|a|e|o)?)(?: (?:tudo|isso|o cadastro|everything|it))?"
            r"|nao quero mais"
        ),
    ),
    (
        Intent.HUMAN,
        re.compile(
            r"(?:(?:eu )?(?:quero|queria|preciso|posso|prefiro|want to|can eu|chama|me passa) )?"
            r"(?:falar com|(?:talk|speak) (?:to|with)|pra)? ?(?:um|uma|o|a|an|the)? ?"
            r"(?:atendente|humano|humana|human|agente?|gerente|suporte|operator"
            r"|pessoa|real person|someone|alguem)(?: ai)?"
        ),
    ),
    (Intent.HELP, re.compile(r"(?:me )?ajuda|(?:eu )?(?:preciso de ajuda|need help)|help(?: me)?|socorro")),
)

# What somebody says who has nothing to answer, or does not want to.
_PLAIN_REFUSAL = re.compile(
    r"(?:(?:nao|no) )?(?:(?:eu|ainda) )*(?:nao|no|nope|nah|negativo|nada|nenhuma?|none|nothing)"
    r"(?: (?:tenho|possuo|uso|sei|quero))?(?: (?:nenhuma?|nada|isso|mesmo|ainda|nao))*(?: (?:thanks|thank you))?"
    r"|(?:eu )?(?:dont|do not) (?:have|use|know|want to)(?: (?:one|any|it|that))?|(?:eu )?have none"
    r"|(?:(?:eu )?(?:quero|queria|prefiro|pode) )?pul(?:a|ar|o|e)(?: (?:isso|essa|esta))?"
    r"|skip(?: (?:it|this|that))?|(?:eu )?passo"
    r"|(?:eu )?(?:prefiro nao|nao quero|(?:would |id )?(?:rather|prefer) not(?: to)?)"
    r"(?: (?:dizer|falar|informar|responder|say|tell|answer))?"
)

_BEFORE_ALL = ((Intent.STOP, _STOP), (Intent.HUMAN, _HUMAN))
_WISHES = ((Intent.DENY, _REFUSES), (Intent.REGISTER, _REGISTER), (Intent.HELP, _HELP))
_POLITE = word_set("""
    por favor pfv pf please obrigado obrigada obg
""")


def named(words: str) -> Kind | None:
    """What is spoken of, where it is one thing first of all."""
    return next((_NAMED[word] for word in words.split() if word in _NAMED), None)


def is_to_the_machine(folded: str) -> bool:
    """Orders to whatever reads this. They are followed by nobody, and none of their words are a person's."""
    return bool(_TO_THE_MACHINE.search(folded))


def intent_of(words: str, asked: Asked) -> Intent:
    """Of all but a free answer."""
    return (
        _first_of(_BEFORE_ALL, words)
        or answers.plain(words, asked)
        or _yes_with_more(words, asked)
        or _change(words, asked)
        or _first_of(_WISHES, words)
        or answers.loose(words, asked, is_of_one=named(words) is not None)
        or Intent.OTHER
    )


def _first_of(intents: Sequence[tuple[Intent, re.Pattern[str]]], words: str) -> Intent | None:
    return next((intent for intent, pattern in intents if pattern.search(words)), None)


def _yes_with_more(words: str, asked: Asked) -> Intent | None:
    is_agreed = asked.is_consent and answers.agrees(words) and not _HELP.search(words)
    is_kept = asked.is_summary and answers.keeps_all(words) and named(words) is None
    return Intent.CONFIRM if is_agreed or is_kept else None


def _change(words: str, asked: Asked) -> Intent | None:
    """Something that was given is wrong, or is so no longer."""
    if asked.is_idle and _ELSEWHERE.search(words):
        return None
    if _CORRECT.search(words) and (not asked.is_idle or _OWN_IS_WRONG.search(words)):
        return Intent.CORRECT
    if _UPDATE.search(words) or _MOVED.search(words):
        return Intent.CORRECT if asked.is_summary else Intent.UPDATE
    return Intent.CORRECT if asked.is_summary and _POINTS_AT.search(words) else None


def plain_command(words: str) -> Intent | None:
    """A call for the end, for somebody or for help and nothing else: even where any text would be an answer."""
    said = _without_courtesy(words)
    return next((intent for intent, pattern in _PLAIN_COMMANDS if pattern.fullmatch(said)), None)


def is_plain_refusal(words: str) -> bool:
    """No answer to a question, and nothing else."""
    return bool(_PLAIN_REFUSAL.fullmatch(_without_courtesy(words)))


def _without_courtesy(words: str) -> str:
    return " ".join(word for word in words.split() if word not in _POLITE)


def is_moving(words: str) -> bool:
    return bool(_MOVED.search(words))
