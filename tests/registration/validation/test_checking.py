"""What holds of every kind: nothing fails, nothing takes long, and what was kept is taken again."""

import pytest
from django.utils import translation
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.registration.kinds import Kind
from apps.registration.validation.checking import Checked, Wrong, check
from tests.registration.validation.examples import wrong
from tests.timing import quickest

HOSTILE = [
    "a", " ", "@", "1", "1 ", "- ", "/", "(", "{", "[", "\u0301", "a\u0301", "ﷺ", "\ud800", "\x00", "\n", ", ",
    "rua ",
    "rua 1 ", "s/n ", "cep ", "cep 1", "n ", "ap ", "ap 1 ", "sp ", "/sp ", " sp/", "SP,", "1a", "'", ".",
    "a@", "@a.",
    "a.", "a-", "a b ", "de ", "31/", "31 de ", "+", "+55 ", "0xx", "ddd ", "٣", "\u202e", '{"a":', "🙂", "&#",
    "nº ",
]  # fmt: skip
VALUES = {
    Kind.NAME: "Maria da Silva",
    Kind.EMAIL: "maria@padaria.com.br",
    Kind.PHONE: "11 98765-4321",
    Kind.TAX_ID: "529.982.247-25",
    Kind.POSTAL_ADDRESS: "Rua A, 1, Centro, Campinas - SP, 13010-100",
    Kind.BIRTH_DATE: "31/12/1990",
    Kind.FREE: "Gosto de pão",
}


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("most", [40, 60, 120, 320, 700, 1000, 4000])
def test_check_of_hostile_text_takes_no_time(kind: Kind, most: int) -> None:
    texts = [(each * most)[:most] for each in HOSTILE]

    def check_all() -> None:
        for text in texts:
            check(kind, text)
            check(kind, f"Rua {text[:-5]}1")

    # Most take microseconds; what grows with the square of its length would take seconds.
    assert quickest(check_all) < 0.05 * len(texts)


@pytest.mark.parametrize("kind", Kind)
def test_check_takes_what_was_kept(kind: Kind) -> None:
    found = check(kind, VALUES[kind])
    assert isinstance(found, Checked)
    assert check(kind, found.value) == found


@pytest.mark.parametrize("kind", Kind)
def test_check_of_nothing_or_too_much_says_so(kind: Kind) -> None:
    assert wrong(kind, " \n ").code == "empty"
    assert wrong(kind, "a" * 1001).code == "too_long"
    assert wrong(kind, "a" * 1_000_000).code == "too_long"
    # White space around it is no part of a value.
    assert isinstance(check(kind, f"{' ' * 1000}{VALUES[kind]}{' ' * 1000}"), Checked)


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(Kind), st.text(max_size=60) | st.lists(st.sampled_from(HOSTILE)).map("".join))
def test_check_of_any_text_gives_a_value_or_a_reason(kind: Kind, text: str) -> None:
    found = check(kind, text)
    if isinstance(found, Wrong):
        assert found.code
        assert found.detail
        found.detail.encode()
    else:
        assert found.value
        found.value.encode()


@pytest.mark.parametrize("kind", Kind)
def test_check_answers_with_text_of_the_moment(kind: Kind) -> None:
    with translation.override("pt-br"):
        assert type(wrong(kind, "a" * 1001).detail) is str
