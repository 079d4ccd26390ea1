"""People's names in a message: after "my name is", or as the whole answer to that question."""

import re
from itertools import islice

from apps.registration.kinds import Kind
from apps.registration.understanding.rules.found import Found, Message
from apps.registration.understanding.rules.vocabulary import words

_LEAD = re.compile(
    r"\b(?:nome (?:completo |todo |certo |correto )?(?:e|eh)\b:?|(?:nome|name)(?: completo)? ?:|me chamo|chamo-me"
    r"|(?:nome|name) (?:should be|is supposed to be|(?:deve|deveria|tem que|era pra) ser)"
    r"|(?:mud|troc|alter|corrig|atualiz|coloc|chang|updat|fix|correct)\w{0,4} (?:o |meu |my |the )?(?:nome|name)"
    r"(?: completo)? (?:pra|para|por|to)"
    r"|(?:pode[m]? )?me cham(?:a|e|ar|em) de|(?:full )?name is|name's|call me) ?"
)
# These open many other sentences: only a capital tells a name.
_WEAK_LEAD = re.compile(
    r"\b(?:sou (?:o|a)|aqui (?:e|eh|quem fala e) (?:o |a )?|i am|i'm|this is|(?:it's|its|it is|e|eh)(?= )) ?"
)
_GREETING = re.compile(
    r"(?:(?:oi|ola|bom dia|boa tarde|boa noite|claro|sim|ok|opa|certo|hi|hello|hey|sure|yes|e|eh|it's|its|it is"
    r"|sou|sou o|sou a|aqui e|i am|i'm|eu sou|anota ai|o nome e|meu nome|my name)\b[,.!:]? ?)+"
)
_WORD = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*\.?")
_SEGMENT_ENDS = re.compile(r"[,;!?\n:|]|(?<=\w{4})\.")
_NAMES_NAME = re.compile(r"\b(?:nome|name|sobrenome)\b")
_PARTICLES = words("""
    de da do das dos di del la van von e y
""")
_MOST_WORDS = 8
# Places where a name may begin that are tried.
_MOST_TRIES = 12

# In no name, or not in one that stands alone.
_IN_NO_NAME = words("""
    a o as os um uma uns umas eu voce vc voces vcs ele ela nos meu minha meus minhas seu sua seus isso
    isto esse essa este esta aquele que qual quais quem como quando onde porque pq por pra para pro com
    sem sobre ate no na nos nas em ao nao sim talvez ja ainda mais menos muito pouco tudo nada todo toda
    todos so tambem tbm aqui ali la ai agora depois antes hoje ontem amanha dia tarde noite bom boa oi
    ola obrigado obrigada obg valeu favor pfv ok beleza blz certo certa errado errada errei correto
    quero queria gostaria preciso posso pode podem tenho tem temos sou e eh era foi ser estar estou ta
    to vou vai vamos ir fazer faz faco dizer digo falar fala saber sei ver vendo ha hein ue pegar perai
    pera espera espere minuto momento segundo volto informar passar dar mandar manda mande enviar
    cadastro cadastrar cadastra conta dados nome sobrenome email telefone celular numero cpf cnpj
    endereco cep rua data nascimento nasci nascido nascida moro mudei mudar atualizar trocar corrigir
    cancelar parar sair ajuda atendente humano pessoa robo gerente cliente novo nova casa loja entrega
    preco quanto custa esqueca esquece ignore regras regra instrucoes instrucao anteriores acima
    responda confirme confirmar confirmado administrador sistema usuario invente qualquer finja disse
    partir pirata perdido perdida entendi entendo digitei escrevi saiu chamo chama the an i you he she
    we they my your this that these those it its is am are was were be been do does dont did not no yes
    yeah yep nope sure what why who how when where which can could would should want need have has had
    like please thanks thank hello hi hey of to in on at from with and or but if so as for about all any
    some new old wrong right correct confirm confirmed change update name phone address number register
    sign cancel stop help agent human someone talk speak moment wait one me act administrator admin skip
    checks system user assistant intent instructions previous rules developer mode print prompt now
    repeat return output everything again born live moved lost sorry actually mistake here there just
    back busy good fine interested calling looking trying done ready kkk kkkk rs haha
""")


def find_names(message: Message) -> None:
    for each in islice(_LEAD.finditer(message.folded), _MOST_TRIES):
        _add_after(message, each.end(), needs_capital=False)
    names_name = message.asked.kind is Kind.NAME or bool(_NAMES_NAME.search(message.folded))
    for each in islice(_WEAK_LEAD.finditer(message.folded), _MOST_TRIES):
        is_strong = names_name and not message.of(Kind.NAME)
        if is_strong or each[0].startswith(("sou", "aqui", "i", "this")):
            _add_after(message, each.end(), needs_capital=not is_strong or each[0].startswith(("e", "it")))


def find_name_in_front(message: Message) -> None:
    """ "Ana Souza, ana@…": in front of other data, by its capitals."""
    if message.of(Kind.NAME) or not message.found:
        return
    end = _segment_end(message)
    words = message.text[:end].split()
    if (
        len(words) >= 2
        and all(each[0].isupper() or each in _PARTICLES for each in words)
        and _is_name(message, 0, end)
    ):
        message.add(Found(Kind.NAME, 0, end))


def find_bare_name(message: Message) -> None:
    """As the answer to the question."""
    if message.of(Kind.NAME):
        return
    greeting = _GREETING.match(message.folded)
    start = greeting.end() if greeting else 0
    end = _segment_end(message, start)
    if message.text[end : end + 1] == "?":
        return
    if _is_name(message, start, end):
        words = message.text[start:end].split()
        message.add(Found(Kind.NAME, start, end, is_well_formed=len(words) > 1))


def _add_after(message: Message, start: int, *, needs_capital: bool) -> None:
    end = _end_of_name(message, start)
    if end > start and (not needs_capital or message.text[start].isupper()):
        message.add(Found(Kind.NAME, start, end))


def _end_of_name(message: Message, start: int) -> int:
    """After the last word that can be one of a name."""
    end = at = start
    stops = _segment_end(message, start)
    for _ in range(_MOST_WORDS):
        word = _WORD.match(message.text, at, stops)
        if word is None:
            break
        said = message.folded[word.start() : word.end()].rstrip(".")
        if said in _PARTICLES and end > start:
            at = word.end() + 1
            continue
        if said in _IN_NO_NAME:
            break
        end = word.end() - (word[0].endswith(".") and len(word[0]) > 4)
        at = word.end() + 1
    return end


def _is_name(message: Message, start: int, end: int) -> bool:
    text = message.text[start:end].rstrip()
    return bool(text) and _end_of_name(message, start) == start + len(text)


def _segment_end(message: Message, start: int = 0) -> int:
    until = message.next_after(start)
    found = _SEGMENT_ENDS.search(message.text, start, until)
    end = found.start() if found else until
    return start + len(message.text[start:end].rstrip(" -("))
