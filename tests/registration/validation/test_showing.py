"""Values as people read them, and as they recognize their own without telling others."""

import string

import pytest
from django.utils import translation
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.registration.kinds import Kind
from apps.registration.validation.address import Address
from apps.registration.validation.showing import masked, shown

ADDRESS = Address("13010100", "Rua Augusta", "123", "apto 4", "Centro", "São Paulo", "SP").as_text()


@pytest.mark.parametrize(
    ("kind", "value", "whole", "hidden"),
    [
        (Kind.NAME, "Maria da Silva", "Maria da Silva", "Maria S."),
        (Kind.NAME, "Maria", "Maria", "***"),
        (Kind.NAME, "Maria S", "Maria S", "***"),
        (Kind.EMAIL, "ana.souza@gmail.com", "ana.souza@gmail.com", "a***@gmail.com"),
        (Kind.EMAIL, "an@gmail.com", "an@gmail.com", "***@gmail.com"),
        (Kind.PHONE, "+5511987654321", "+55 11 98765-4321", "+55 11 *****-**21"),
        (Kind.PHONE, "+551133334444", "+55 11 3333-4444", "+55 11 ****-**44"),
        (Kind.PHONE, "+12127365000", "+1 212-736-5000", "+***00"),
        (Kind.TAX_ID, "12345678909", "123.456.789-09", "***.456.789-**"),
        (Kind.TAX_ID, "11222333000181", "11.222.333/0001-81", "**.***.333/****-**"),
        (Kind.TAX_ID, "12ABC34501DE35", "12.ABC.345/01DE-35", "**.***.345/****-**"),
        (Kind.BIRTH_DATE, "1990-12-31", "Dec. 31, 1990", "**/**/1990"),
        (
            Kind.POSTAL_ADDRESS,
            ADDRESS,
            "Rua Augusta, 123, apto 4, Centro, São Paulo - SP, 13010-100",
            "Rua A…, São Paulo",
        ),
        (Kind.FREE, "Gosto de pão", "Gosto de pão", "***"),
    ],
)
def test_value_is_shown_whole_or_masked(kind: Kind, value: str, whole: str, hidden: str) -> None:
    assert shown(kind, value) == whole
    assert masked(kind, value) == hidden


def test_date_is_shown_in_the_readers_language() -> None:
    with translation.override("pt-br"):
        assert shown(Kind.BIRTH_DATE, "1990-12-01") == "1 de Dezembro de 1990"


def test_address_without_some_parts_is_shown_without_them() -> None:
    bare = Address(street="Rua Augusta", city="São Paulo").as_text()
    assert shown(Kind.POSTAL_ADDRESS, bare) == "Rua Augusta, São Paulo"
    assert masked(Kind.POSTAL_ADDRESS, Address(postal_code="13010100").as_text()) == "***"


ODD = st.sampled_from(
    ['{"street": 1}', "{" * 2000, "[]", "{}", "+55", "+", "@", "a@", "0000-00-00", " ", '{"city": "\\ud800"}']
)


@settings(deadline=None, max_examples=200)
@given(st.sampled_from(Kind), st.text(max_size=80) | ODD)
def test_value_of_any_text_is_shown_and_masked(kind: Kind, value: str) -> None:
    assert isinstance(shown(kind, value), str)
    hidden = masked(kind, value)
    assert hidden == masked(kind, value)
    assert hidden == "***" or hidden != value


DIGITS = st.text(string.digits, min_size=11, max_size=11)
LETTERS = st.text(string.ascii_lowercase, min_size=3, max_size=20)


@settings(deadline=None)
@given(DIGITS)
def test_masked_number_leaves_too_many_to_try(digits: str) -> None:
    assert sum(character.isdigit() for character in masked(Kind.TAX_ID, digits)) == 6
    # The country and the area, which are no secret, and two more.
    assert masked(Kind.PHONE, f"+55{digits}").count("*") == 7
    assert sum(character.isalnum() for character in masked(Kind.TAX_ID, f"{digits}123")) == 3


@settings(deadline=None)
@given(LETTERS, LETTERS)
def test_masked_words_leave_only_their_beginning(first: str, last: str) -> None:
    assert masked(Kind.EMAIL, f"{first}@{last}.com") == f"{first[0]}***@{last}.com"
    assert masked(Kind.NAME, f"{first} {last}") == f"{first} {last[0]}."
    assert masked(Kind.FREE, f"{first} {last}") == "***"
    address = Address(street=f"Rua {first}", number="7", district=last, city="Poá", postal_code="08550000")
    assert masked(Kind.POSTAL_ADDRESS, address.as_text()) == f"Rua {first[0]}…, Poá"
