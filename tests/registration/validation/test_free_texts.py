"""Free texts: whatever people write, but nothing that cannot be seen."""

import pytest

from apps.registration.kinds import Kind
from tests.registration.validation.examples import value, wrong


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("  Gosto de pão.  ", "Gosto de pão."),
        ("uma linha\r\noutra\tcoluna", "uma linha\noutra coluna"),
        ("família 👨‍👩‍👧 ❤️", "família 👨‍👩‍👧 ❤️"),
        ("pa\u0303o", "pão"),
        ("<b>{{ 1 }}</b>", "<b>{{ 1 }}</b>"),
        ("a" * 1000, "a" * 1000),
    ],
)
def test_free_text_is_kept_stripped(written: str, kept: str) -> None:
    assert value(Kind.FREE, written) == kept


@pytest.mark.parametrize(
    "hidden", ["\x00", "\x1b[31m", "\x07", "\x85", "\u2028", "\u202e", "\u2066", "\u200f", "\ud800"]
)
def test_free_text_with_what_cannot_be_seen_is_refused(hidden: str) -> None:
    assert wrong(Kind.FREE, f"antes{hidden}depois").code == "bad_characters"


def test_free_text_of_nothing_that_can_be_seen_is_refused() -> None:
    assert wrong(Kind.FREE, "\u200b \ufeff").code == "bad_characters"


def test_free_text_is_bounded() -> None:
    found = wrong(Kind.FREE, "a" * 1001)
    assert found.code == "too_long"
    assert "1000" in found.detail
