"""CPF and CNPJ: the check digits, in both the old alphabet and the new."""

import string

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from apps.registration.kinds import Kind
from apps.registration.validation.checking import Wrong, check
from tests.registration.validation.examples import value, wrong

DIGITS = string.digits
# As the law writes them down, rather than as the code reckons them.
WEIGHTS_OF_CPF = ([10, 9, 8, 7, 6, 5, 4, 3, 2], [11, 10, 9, 8, 7, 6, 5, 4, 3, 2])
WEIGHTS_OF_CNPJ = ([5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2], [6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2])


def with_check_digits(base: str, weights: tuple[list[int], list[int]]) -> str:
    for each in weights:
        rest = sum((ord(character) - 48) * weight for character, weight in zip(base, each, strict=True)) % 11
        base += "0" if rest in {0, 1} else str(11 - rest)
    return base


CPFS = st.text(DIGITS, min_size=9, max_size=9).map(lambda base: with_check_digits(base, WEIGHTS_OF_CPF))
CNPJS = st.text(DIGITS, min_size=12, max_size=12).map(lambda base: with_check_digits(base, WEIGHTS_OF_CNPJ))
NEW_CNPJS = st.text(DIGITS + string.ascii_uppercase, min_size=12, max_size=12).map(
    lambda base: with_check_digits(base, WEIGHTS_OF_CNPJ)
)
TAX_IDS = (CPFS | CNPJS | NEW_CNPJS).filter(lambda tax_id: len(set(tax_id)) > 1)


@settings(deadline=None)
@given(TAX_IDS)
def test_tax_id_with_right_check_digits_passes(tax_id: str) -> None:
    assert value(Kind.TAX_ID, tax_id) == tax_id
    assert value(Kind.TAX_ID, f" {tax_id[:3]}.{tax_id[3:6].lower()} / {tax_id[6:9]}-{tax_id[9:]} ") == tax_id


@settings(deadline=None, max_examples=40)
@given(TAX_IDS)
def test_tax_id_with_any_single_digit_changed_fails(tax_id: str) -> None:
    # Rests 0 and 1 both give the digit 0, so where the first check digit is 0 the law itself lets some slips pass.
    assume(tax_id[-2] != "0")
    for at, digit in enumerate(tax_id):
        for other in DIGITS if digit.isdigit() else "":
            if other != digit:
                assert isinstance(check(Kind.TAX_ID, tax_id[:at] + other + tax_id[at + 1 :]), Wrong)


@settings(deadline=None, max_examples=40)
@given(TAX_IDS, st.sampled_from([-2, -1]), st.sampled_from(DIGITS))
def test_tax_id_with_another_check_digit_fails(tax_id: str, at: int, other: str) -> None:
    assume(tax_id[at] != other)
    changed = [*tax_id]
    changed[at] = other
    assert wrong(Kind.TAX_ID, "".join(changed)).code == "bad_check_digits"


@pytest.mark.parametrize("digit", DIGITS)
@pytest.mark.parametrize("length", [11, 14])
def test_tax_id_of_equal_digits_fails(digit: str, length: int) -> None:
    assert wrong(Kind.TAX_ID, digit * length).code == "bad_check_digits"


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("529.982.247-25", "52998224725"),
        ("529 982 247 25", "52998224725"),
        ("CPF: 529.982.247-25", "52998224725"),
        ("cpf 52998224725", "52998224725"),
        ("\u202a529.982.247\u201125\u202c", "52998224725"),
        ("11.222.333/0001-81", "11222333000181"),
        ("CNPJ 11222333000181", "11222333000181"),
        # The example that the tax office gives.
        ("12.ABC.345/01DE-35", "12ABC34501DE35"),
        ("12abc34501de35", "12ABC34501DE35"),
    ],
)
def test_tax_id_is_kept_without_what_is_between(written: str, kept: str) -> None:
    assert value(Kind.TAX_ID, written) == kept


@pytest.mark.parametrize(
    "written",
    ["123", "5299822472", "529982247251", "12ABC34501DEAB", "٥٢٩٩٨٢٢٤٧٢٥", "não tenho", "12ÁBC34501DE35", "CPF"],
)
def test_tax_id_of_another_shape_says_how_long_one_is(written: str) -> None:
    found = wrong(Kind.TAX_ID, written)
    assert found.code == "bad_tax_id"
    assert "11" in found.detail
    assert "14" in found.detail
