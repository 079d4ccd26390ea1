"""Tables in text: separated by semicolons, commas or tabs, in whatever encoding a spreadsheet chose."""

import codecs
import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from django.utils.translation import gettext as _

from apps.billing.importing.columns import fields_by_place, invoice_of
from apps.billing.importing.row import MOST_COLUMNS, MOST_ROWS, Row, Unreadable
from apps.billing.new_invoice import Mistake

SEPARATORS = ";,\t"
_PIECE = 1024 * 1024
_MOST_OF_HEADER = 16 * 1024


def count_rows(path: Path) -> int:
    """Without the header. Reads all of it, and says now what cannot be read later."""
    with _opened(path) as file:
        count = sum(1 for _row in _records(file)) - 1
    if count > MOST_ROWS:
        raise Unreadable(_("A file has at most %(most)d rows. Split it.") % {"most": MOST_ROWS})
    return max(0, count)


def rows(path: Path) -> Iterator[Row]:
    with _opened(path) as file:
        records = _records(file)
        places = fields_by_place(next(records, []))
        for number, record in enumerate(records, start=2):
            if len(record) > MOST_COLUMNS:
                detail = _("A table has at most %(most)d columns.") % {"most": MOST_COLUMNS}
                yield Row(number, [Mistake("", "too_many_columns", detail)])
                continue
            given = {field: record[place].strip() for place, field in places.items() if place < len(record)}
            yield Row(number, invoice_of(given) if any(given.values()) else None)


def _records(file: TextIO) -> Iterator[list[str]]:
    reader = csv.reader(file, delimiter=_separator(file), strict=False)
    try:
        yield from reader
    except csv.Error as error:
        raise Unreadable(
            _("Line %(line)d cannot be read: %(reason)s.") % {"line": reader.line_num, "reason": error}
        ) from error


def _separator(file: TextIO) -> str:
    """Whatever stands most often in the first line, outside of quotes."""
    header = file.readline(_MOST_OF_HEADER)
    file.seek(0)
    outside = "".join(header.split('"')[::2])
    return max(SEPARATORS, key=outside.count)


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    with path.open(encoding=_encoding(path), errors="replace", newline="") as file:
        yield file


def _encoding(path: Path) -> str:
    """UTF-8 where all of it is that; else what Windows writes in Western Europe and the Americas."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as file:
        if file.read(2) in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE}:
            return "utf-16"
        file.seek(0)
        try:
            while piece := file.read(_PIECE):
                decoder.decode(piece)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "cp1252"
    return "utf-8-sig"
