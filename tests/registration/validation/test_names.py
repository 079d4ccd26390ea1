"""Names of people: in letters, whole, and cased as they are written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.registration.kinds import Kind
from apps.registration.validation.checking import Checked, check
from tests.registration.validation.examples import value, wrong


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("Maria da Silva", "Maria da Silva"),
        ("MARIA DA SILVA", "Maria da Silva"),
        ("maria da silva", "Maria da Silva"),
        ("  Maria   da \u00a0Silva ", "Maria da Silva"),
        ("Maria Da SILVA", "Maria Da Silva"),
        ("JOÃO D'ÁVILA", "João D'Ávila"),
        ("joão d’ávila", "João D'Ávila"),
        ("Ana Sant´Ana", "Ana Sant'Ana"),
        ("ANA-MARIA DE SOUZA E SILVA", "Ana-Maria de Souza e Silva"),
        ("DOM PEDRO II", "Dom Pedro II"),
        ("DE SOUZA MARIA E", "De Souza Maria E"),
        ("JOSÉ CARLOS JR.", "José Carlos Jr."),
        ("Maria J. Souza", "Maria J. Souza"),
        ("Ronald McDonald", "Ronald McDonald"),
        ("Joa\u0303o Souza", "João Souza"),
        ("𝐌𝐚𝐫𝐢𝐚 Silva", "Maria Silva"),
        ("李 小龙", "李 小龙"),
        ("Иван Петров", "Иван Петров"),
        ("ИВАН ПЕТРОВ", "Иван Петров"),
        ("अनिल कुमार", "अनिल कुमार"),
    ],
)
def test_name_is_kept_as_it_is_written(written: str, kept: str) -> None:
    assert value(Kind.NAME, written) == kept


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("Maria", "incomplete"),
        ("Maria da", "incomplete"),
        ("Maria S.", "incomplete"),
        ("de da", "incomplete"),
        ("Maria Silva 2", "digits"),
        ("Maria Silv٣", "digits"),
        ("http://x.com/a b", "bad_characters"),
        ("www.golpe.com Silva", "bad_characters"),
        ("Maria Silva.com", "bad_characters"),
        ("maria@gmail.com Silva", "bad_characters"),
        ("Maria\nSilva", "bad_characters"),
        ("Maria\tSilva", "bad_characters"),
        ("Maria \x00 Silva", "bad_characters"),
        ("Maria \u202eavliS", "bad_characters"),
        ("Maria \u200bSilva", "bad_characters"),
        ("Maria \ud800Silva", "bad_characters"),
        ("Maria Silva 🙂", "bad_characters"),
        ("Maria - Silva", "bad_characters"),
        ("'Maria' Silva", "bad_characters"),
        ("Maria <b>Silva</b>", "bad_characters"),
        ("Mari\u0328\u0328\u0328\u0328a Silva", "bad_characters"),
        ("{{ name }} Silva", "bad_characters"),
        ("M" + "a" * 118 + " S", "too_long"),
        ("ﷺ " * 20, "too_long"),
    ],
)
def test_name_that_is_none_says_what_is_wanted(written: str, code: str) -> None:
    assert wrong(Kind.NAME, written).code == code


@given(st.text(st.characters(categories=["L", "M", "Zs", "Pd"], include_characters="'. "), max_size=40))
def test_name_that_was_kept_is_one_and_stays(written: str) -> None:
    found = check(Kind.NAME, written)
    if isinstance(found, Checked):
        assert len(found.value) <= 120
        assert isinstance(check(Kind.NAME, found.value), Checked)


@given(st.lists(st.text("abcçdeéfghijlmnoõpqrstuvxzABCDEÉ", min_size=2, max_size=12), min_size=2, max_size=5))
def test_name_in_latin_letters_is_stable_once_kept(words: list[str]) -> None:
    found = check(Kind.NAME, " ".join(words))
    if isinstance(found, Checked):
        assert value(Kind.NAME, found.value) == found.value
        assert found.value.lower().split() == " ".join(words).lower().split()
