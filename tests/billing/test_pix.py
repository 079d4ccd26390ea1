"""BR Codes: made, read, and refused where they are not what they claim."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from apps.billing import boleto, pix

# From the manual of the central bank.
KNOWN = (
    "00020126580014br.gov.bcb.pix0136123e4567-e12b-12d1-a456-4266554400005204000053039865802BR"
    "5913Fulano de Tal6008BRASILIA62070503***63041D3D"
)


def code(amount: int | None = 14990) -> str:
    return pix.build("ana@aurora.example", "Padaria Aurora", "Sao Paulo", amount, "F1001")


def again(text: str) -> str:
    """With a checksum that fits."""
    whole = text[:-4]
    return whole + pix._crc(whole)


def test_known_code_is_read() -> None:
    read = pix.check(KNOWN)
    assert read.key == "123e4567-e12b-12d1-a456-426655440000"
    assert (read.name, read.city, read.txid, read.amount) == ("Fulano de Tal", "BRASILIA", "***", None)


def test_what_is_built_is_read_again() -> None:
    read = pix.check(code())
    assert (read.key, read.amount, read.txid) == ("ana@aurora.example", 14990, "F1001")
    assert pix.check(code(5)).amount == 5
    assert pix.check(code(None)).amount is None


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("5303986", "5303840", "53"),
        ("5802BR", "5802US", "58"),
        ("5914Padaria Aurora", "", "59"),
        ("6009Sao Paulo", "", "60"),
        ("52040000", "", "52"),
        ("000201", "000202", "00"),
        ("br.gov.bcb.pix", "br.gov.bcb.pax", "br.gov.bcb.pix"),
        ("0118ana@aurora.example", "", "character"),
        ("5406149.90", "5406149,90", "amount"),
        ("5802BR", "5802BR5802BR", "twice"),
        ("5802BR", "5899BR", "cut off"),
        ("5802BR", "58²2BR", "character"),
    ],
)
def test_what_is_wrong_is_said(old: str, new: str, said: str) -> None:
    assert old in code()
    with pytest.raises(pix.BadPix, match=said):
        pix.check(again(code().replace(old, new)))


def test_changed_letter_is_found_by_the_checksum() -> None:
    with pytest.raises(pix.BadPix, match="checksum"):
        pix.check(KNOWN.replace("Fulano", "Fulana"))


@given(st.text(max_size=200))
def test_nothing_but_bad_pix_comes_of_rubbish(text: str) -> None:
    with pytest.raises(pix.BadPix):
        pix.check(text)


@given(st.text(st.characters(codec="utf-8"), max_size=200))
def test_rubbish_with_a_checksum_that_fits_is_bad_too(text: str) -> None:
    with pytest.raises(pix.BadPix):
        pix.check(again(f"000201{text}63040000"))


def test_longest_code_is_read_and_no_longer_one() -> None:
    with pytest.raises(pix.BadPix, match="at most"):
        pix.check("0" * (pix.LONGEST + 1))


def test_picture_is_a_png_that_a_phone_can_read() -> None:
    with Image.open(io.BytesIO(pix.picture(KNOWN))) as image:
        assert image.format == "PNG"
        assert image.width == image.height >= 200


@pytest.mark.parametrize(
    "line",
    [
        "23793.38128 60007.827136 95000.063305 9 75520000370000",
        "00190.50095 40144.816069 06809.350314 3 37370000000100",
        "846700000017 435900240209 024050002435 842210108119",
        "836200000005 667800481000 180975657313 001589636081",
    ],
)
def test_boleto_lines_are_known_by_their_check_digits(line: str) -> None:
    digits = boleto.digits_of(line)
    assert boleto.is_line(digits)
    # A single digit that is mistyped is always found.
    for place, digit in enumerate(digits):
        wrong = digits[:place] + str((int(digit) + 1) % 10) + digits[place + 1 :]
        assert not boleto.is_line(wrong), place


@pytest.mark.parametrize("text", ["", "1", "0" * 46, "9" * 48, "²" * 47, "a" * 47])
def test_what_is_no_boleto_line_is_none(text: str) -> None:
    assert not boleto.is_line(text)
