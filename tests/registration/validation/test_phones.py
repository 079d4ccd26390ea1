"""Telephone numbers as people in Brazil write them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.registration.kinds import Kind
from tests.registration.validation.examples import value, wrong

MOBILE, AT_HOME = "+5511987654321", "+551133334444"
SANTA_MARIA = "+5555987654321"


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("11 98765-4321", MOBILE),
        ("(11) 98765-4321", MOBILE),
        ("(011) 98765-4321", MOBILE),
        ("11987654321", MOBILE),
        ("011 98765 4321", MOBILE),
        ("DDD 11 98765-4321", MOBILE),
        ("ddd: 11 98765-4321", MOBILE),
        ("0xx11 98765-4321", MOBILE),
        ("(0XX11) 98765-4321", MOBILE),
        ("0**11 98765-4321", MOBILE),
        ("0 15 11 98765-4321", MOBILE),
        ("041 11 98765 4321", MOBILE),
        ("+55 11 98765-4321", MOBILE),
        ("+55 (011) 98765-4321", MOBILE),
        ("(+55) 11 98765-4321", MOBILE),
        ("5511987654321", MOBILE),
        ("0055 11 98765-4321", MOBILE),
        ("\u202a+55 11 98765\u20114321\u202c", MOBILE),
        ("11.98765.4321", MOBILE),
        # Without the ninth digit
        ("11 8765-4321", MOBILE),
        ("0xx11 8765-4321", MOBILE),
        ("+55 11 8765-4321", MOBILE),
        ("55 11 8765 4321", MOBILE),
        ("0 21 11 8765-4321", MOBILE),
        # At home
        ("(11) 3333-4444", AT_HOME),
        ("1133334444", AT_HOME),
        # The area code of Santa Maria is the country's number too.
        ("55 98765-4321", SANTA_MARIA),
        ("(55) 98765-4321", SANTA_MARIA),
        ("55 8765-4321", SANTA_MARIA),
        ("55 55 98765-4321", SANTA_MARIA),
        # Abroad
        ("+351 912 345 678", "+351912345678"),
        ("+1 (212) 736-5000", "+12127365000"),
        ("+54 9 11 2345-6789", "+5491123456789"),
    ],
)
def test_phone_is_kept_in_international_form(written: str, kept: str) -> None:
    assert value(Kind.PHONE, written) == kept


@pytest.mark.parametrize("written", ["98765-4321", "8765-4321", "3333 4444", "+55 98765-4321"])
def test_phone_without_area_code_is_asked_for_one(written: str) -> None:
    assert wrong(Kind.PHONE, written).code == "no_area_code"


@pytest.mark.parametrize(
    "written",
    [
        "190", "11", "20 98765-4321", "11 18765-4321", "11 987654-3210", "351 912 345 678", "+999 123 456 789",
        "+5511", "11 98765-4321 / 11 3333-4444", "11 98765-4321 ramal 12", "onze 98765-4321", "+", "()",
        "++5511987654321",
        "11+98765-4321", "não tenho", "٠١١٩٨٧٦٥٤٣٢١",
    ],
)  # fmt: skip
def test_phone_that_is_none_says_how_one_looks(written: str) -> None:
    found = wrong(Kind.PHONE, written)
    assert found.code == "bad_phone"
    assert "(11) 98765-4321" in found.detail


@pytest.mark.parametrize("written", ["0800 123 4567", "0300 123 4567"])
def test_phone_of_a_service_is_nobodys_own(written: str) -> None:
    assert wrong(Kind.PHONE, written).code == "not_personal"


@settings(deadline=None)
@given(
    st.sampled_from(
        ["11", "19", "21", "28", "31", "38", "41", "51", "55", "61", "71", "79", "81", "89", "91", "99"]
    ),
    st.from_regex(r"[6-9][0-9]{7}", fullmatch=True),
)
def test_phone_is_the_same_however_it_is_written(area: str, number: str) -> None:
    kept = f"+55{area}9{number}"
    for written in (
        kept,
        f"{area}{number}",
        f"({area}) 9{number[:4]}-{number[4:]}",
        f"0{area} {number}",
        f"0xx{area} 9 {number}",
        f"55{area}{number}",
        f"+55 0{area} 9{number}",
        f"0 21 {area} 9{number}",
    ):
        assert value(Kind.PHONE, written) == kept
