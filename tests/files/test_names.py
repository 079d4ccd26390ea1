import pytest

from apps.files.names import LONGEST, disposition, safe_name

HOSTILE = [
    ("nota.pdf", "nota.pdf"),
    ("../../etc/passwd", "passwd"),
    ("C:\\Windows\\win.ini", "win.ini"),
    ('a"b.txt', "a_b.txt"),
    ("a\r\nSet-Cookie: x=1.txt", "a__Set-Cookie_ x=1.txt"),
    ("a\0b", "a_b"),
    ("\u202egpj.exe", "_gpj.exe"),
    ("fatura\u200b\u2066.pdf", "fatura__.pdf"),
    ("bolo 🎂 de aniversário.png", "bolo 🎂 de aniversário.png"),
    ("...", "file"),
    ("", "file"),
    ("   ", "file"),
    (".htaccess", "htaccess"),
    ("e\u0301.txt", "é.txt"),
    ("\ud800.txt", "_.txt"),
    ("CON:stream.txt", "CON_stream.txt"),
]


@pytest.mark.parametrize(("given", "kept"), HOSTILE)
def test_name_is_made_harmless(given: str, kept: str) -> None:
    assert safe_name(given) == kept


@pytest.mark.parametrize(
    "given", ["x" * 5000 + ".pdf", "é" * 5000 + ".pdf", "🎂" * 400 + ".pdf", "x" * 10 + "." + "y" * 900]
)
def test_long_name_is_cut_and_keeps_its_ending(given: str) -> None:
    kept = safe_name(given)
    assert len(kept) <= LONGEST
    assert len(kept.encode()) <= 255
    assert kept.endswith(".pdf") or "y" in given


@pytest.mark.parametrize(("given", "_kept"), HOSTILE)
@pytest.mark.parametrize("is_inline", [True, False])
def test_disposition_is_one_header_whatever_the_name(given: str, _kept: str, is_inline: bool) -> None:
    header = disposition(given, is_inline=is_inline)
    assert header.isascii()
    assert header.isprintable()
    assert header.startswith("inline" if is_inline else "attachment")


def test_name_that_is_safe_stays_safe() -> None:
    for given, _ in HOSTILE:
        once = safe_name(given)
        assert safe_name(once) == once
