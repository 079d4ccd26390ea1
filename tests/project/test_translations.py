"""Nobody who chose Portuguese reads English by accident."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_file
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDERS = ("apps", "project")
FOLDER = ROOT / "locale" / "pt_BR" / "LC_MESSAGES"
KEYWORDS = {
    "_": None, "gettext": None, "gettext_lazy": None, "ngettext": (1, 2), "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2), "pgettext_lazy": ((1, "c"), 2),
}  # fmt: skip
IN_TEMPLATES = re.compile(
    r"{%\s*(?:trans|translate)\s+(['\"])(?P<short>.*?)\1"
    r"|{%\s*blocktrans(?:late)?(?P<options>[^%]*)%}(?P<long>.*?){%\s*endblocktrans",
    re.DOTALL,
)
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]")


def texts_in_code() -> Iterator[tuple[str, str]]:
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*.py"):
            for _line, message, _comments, _context in extract_from_file("python", str(path), keywords=KEYWORDS):
                yield (message if isinstance(message, str) else message[0]), str(path.relative_to(ROOT))


def texts_in_templates() -> Iterator[tuple[str, str]]:
    for path in (
        path for folder in FOLDERS for kind in ("html", "txt") for path in (ROOT / folder).rglob(f"*.{kind}")
    ):
        for found in IN_TEMPLATES.finditer(path.read_text()):
            singular = re.split(r"{%\s*plural\s*%}", found["long"] or "")[0]
            text = found["short"] or re.sub(r"{{\s*([\w.]+)\s*}}", r"%(\1)s", singular)
            yield (
                (" ".join(text.split()) if "trimmed" in (found["options"] or "") else text),
                str(path.relative_to(ROOT)),
            )


def singular(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    with (FOLDER / "django.po").open("rb") as source:
        return read_po(source, locale="pt_BR")


def test_every_text_is_translated(catalog: Catalog) -> None:
    texts = [*texts_in_code(), *texts_in_templates()]
    assert len(texts) > 100
    translated = {singular(each) for each in catalog if each.id and each.string}
    missing = sorted({f"{text!r} in {path}" for text, path in texts if text not in translated})
    assert missing == [], "run `make messages` and translate them"


def test_no_translation_is_a_guess(catalog: Catalog) -> None:
    assert [message.id for message in catalog if message.id and message.fuzzy] == []


def test_translation_keeps_the_placeholders(catalog: Catalog) -> None:
    for message in catalog:
        if message.id and isinstance(message.string, str):
            assert set(PLACEHOLDER.findall(str(message.id))) == set(PLACEHOLDER.findall(message.string)), (
                message.id
            )


def test_no_translation_is_left_over(catalog: Catalog) -> None:
    texts = {text for text, _ in [*texts_in_code(), *texts_in_templates()]}
    assert sorted(singular(each) for each in catalog if each.id and singular(each) not in texts) == []


def test_compiled_catalogue_is_the_one_in_the_source(catalog: Catalog) -> None:
    with (FOLDER / "django.mo").open("rb") as compiled:
        read = read_mo(compiled)
    assert contents(read) == contents(catalog)


def contents(catalog: Catalog) -> dict[str, list[str]]:
    def forms(message: Message) -> list[str]:
        return [message.string] if isinstance(message.string, str) else list(message.string or ())

    return {singular(message): forms(message) for message in catalog if message.id}
