"""What somebody wants, by what they were just asked: nothing, to go on, for a datum, or whether all is right."""

from functools import partial

import pytest

from apps.registration.kinds import Kind
from apps.registration.understanding.reading import MOST_CHARACTERS, Asked, Intent, Reading, Slot
from apps.registration.understanding.rules.reader import RulesReader
from tests.timing import quickest

RULES = RulesReader()
IDLE, CONSENT, SUMMARY = Asked(), Asked(is_consent=True), Asked(is_summary=True)


def intent(text: str, asked: Asked) -> Intent:
    return RULES.read(text, asked).intent


@pytest.mark.parametrize(
    ("asked", "is_idle"), [(IDLE, True), (CONSENT, False), (SUMMARY, False), (Asked(Kind.NAME), False)]
)
def test_asked_tells_whether_anything_is_open(asked: Asked, is_idle: bool) -> None:
    assert asked.is_idle is is_idle


@pytest.mark.parametrize(
    "text",
    [
        "meu pedido veio errado",
        "faltou um pão no pedido",
        "a conta veio com erro",
        "my order is wrong",
        "coisa estranha, o pão veio duro",
        "Meu nome está errado na nota",
        "quero trocar o endereço da entrega",
        "Can I join you for lunch?",
        "como posso pagar a conta?",
        "preciso da segunda via da conta",
        "foi engano",
        "tem um erro no boleto",
        "o app deu erro no meu celular",
        "quero mudar a data da festa",
        "quero registrar um problema",
        "posso comprar sem cadastro?",
        "vocês mudaram de endereço?",
        "what's wrong?",
    ],
)
def test_other_business_begins_no_registration(text: str) -> None:
    assert RULES.read(text, IDLE) == Reading(Intent.OTHER)


@pytest.mark.parametrize(
    ("text", "wanted", "corrects"),
    [
        ("quero abrir uma conta", Intent.REGISTER, None),
        ("posso fazer o cadastro de cliente por aqui?", Intent.REGISTER, None),
        ("can I join your loyalty program?", Intent.REGISTER, None),
        ("meu nome tá errado no cadastro", Intent.CORRECT, Kind.NAME),
        ("preciso corrigir minha data de nascimento", Intent.CORRECT, Kind.BIRTH_DATE),
        ("my e-mail is wrong", Intent.CORRECT, Kind.EMAIL),
        ("meu telefone mudou", Intent.UPDATE, Kind.PHONE),
    ],
)
def test_own_data_begin_a_registration(text: str, wanted: Intent, corrects: Kind | None) -> None:
    assert RULES.read(text, IDLE) == Reading(wanted, (), corrects)


@pytest.mark.parametrize(
    "text",
    [
        *("pode", "podemos", "podemos sim", "tá bom", "tá", "vamos", "bora", "concordo", "aceito", "de acordo"),
        *(
            "estou de acordo",
            "li e aceito",
            "sim, quero me cadastrar",
            "claro, pode continuar",
            "beleza, vamos lá",
        ),
        *("I agree", "sure why not", "Sure, why not?", "go ahead", "of course", "let's go"),
    ],
)
def test_yes_to_may_we_go_on(text: str) -> None:
    assert intent(text, CONSENT) is Intent.CONFIRM


@pytest.mark.parametrize(
    "text",
    [
        *("não", "agora não", "depois", "mais tarde", "melhor não", "não concordo", "claro que não"),
        *("não está de acordo", "not now", "I don't agree", "no thanks"),
    ],
)
def test_no_to_may_we_go_on(text: str) -> None:
    assert intent(text, CONSENT) is Intent.DENY


@pytest.mark.parametrize(
    "text",
    ["não sei", "talvez", "maybe", "sim, mas depois", "sim, parar", "concordo em parte", "pode apagar", "hmm"],
)
def test_neither_yes_nor_no_to_may_we_go_on(text: str) -> None:
    assert intent(text, CONSENT) is Intent.OTHER


def test_yes_may_come_with_values() -> None:
    reading = RULES.read("sim, meu nome é Paulo Mendes, paulo@example.com, cpf 204.173.586-44", CONSENT)
    assert reading == Reading(
        Intent.CONFIRM,
        (
            Slot(Kind.NAME, "Paulo Mendes"),
            Slot(Kind.EMAIL, "paulo@example.com"),
            Slot(Kind.TAX_ID, "204.173.586-44"),
        ),
    )


@pytest.mark.parametrize(
    "text", ["o email certo é ana@x.com", "meu nome é Paulo Mendes", "sim, mas não guardem ana@x.com"]
)
def test_values_alone_are_no_yes(text: str) -> None:
    assert intent(text, CONSENT) is not Intent.CONFIRM


@pytest.mark.parametrize("text", ["pra que vcs querem meu cpf?", "o que fazem com o CPF?", "quem tem acesso?"])
@pytest.mark.parametrize("asked", [CONSENT, SUMMARY, Asked(Kind.TAX_ID)])
def test_question_why_is_a_call_for_help(text: str, asked: Asked) -> None:
    assert intent(text, asked) is Intent.HELP
    assert intent("why do you need it?", asked) is Intent.HELP


@pytest.mark.parametrize("text", ["é de graça?", "sim?", "dá pra me cadastrar por aqui?", "sim, quanto custa?"])
def test_question_instead_of_a_yes_is_a_call_for_help(text: str) -> None:
    assert intent(text, CONSENT) is Intent.HELP


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("o nome", Kind.NAME),
        ("só o nome", Kind.NAME),
        ("sim, só o nome que não", Kind.NAME),
        ("tá tudo certo menos o nome", Kind.NAME),
        ("quase tudo, só o email", Kind.EMAIL),
        ("everything but the phone", Kind.PHONE),
        ("a data", Kind.BIRTH_DATE),
        ("o cep", Kind.POSTAL_ADDRESS),
    ],
)
def test_what_is_wrong_may_only_be_named(text: str, kind: Kind) -> None:
    assert RULES.read(text, SUMMARY) == Reading(Intent.CORRECT, (), kind)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("the name should be Jane Roe", "Jane Roe"),
        ("change my name to Jane Roe", "Jane Roe"),
        ("muda o nome pra Paulo Mendes Filho", "Paulo Mendes Filho"),
        ("troca o nome por Ana Lima, por favor", "Ana Lima"),
    ],
)
def test_name_is_corrected_by_what_it_shall_be(text: str, name: str) -> None:
    assert RULES.read(text, SUMMARY) == Reading(Intent.CORRECT, (Slot(Kind.NAME, name),), Kind.NAME)


@pytest.mark.parametrize(
    "text", ["nada, deixa assim", "não, deixa assim mesmo", "não precisa mudar nada", "nothing, leave it"]
)
def test_nothing_to_change_is_a_yes(text: str) -> None:
    assert intent(text, SUMMARY) is Intent.CONFIRM


@pytest.mark.parametrize(
    "text",
    ["só o email está certo", "leave it", "deixa assim o email", "não pode deixar assim", "não sei", "talvez"],
)
def test_less_than_all_is_no_yes(text: str) -> None:
    assert intent(text, SUMMARY) is not Intent.CONFIRM


@pytest.mark.parametrize(
    "seed", ["só o ", "só só ", "o nome e ", "meu nome ", "muda o nome ", "sim e ", "nothing ", "data "]
)
def test_intents_of_hostile_repetition_take_no_time(seed: str) -> None:
    text = (seed * MOST_CHARACTERS)[:MOST_CHARACTERS]
    for asked in (IDLE, CONSENT, SUMMARY):
        assert quickest(partial(RULES.read, text, asked)) < 0.5
