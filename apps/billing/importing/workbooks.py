"""The first sheet of an XLSX, a row at a time, after a look at what it would unpack to."""

import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from xml.etree.ElementTree import ParseError

from django.utils.translation import gettext as _

from apps.billing.importing.cells import Cell
from apps.billing.importing.columns import fields_by_place, invoice_of
from apps.billing.importing.row import MOST_COLUMNS, MOST_ROWS, Row, Unreadable

MOST_UNPACKED = 500 * 1024 * 1024
# Kept in memory whole, where the sheets are not.
MOST_SHARED = 64 * 1024 * 1024
MOST_PARTS = 2000
# Of XML; what is between two ends of rows is in memory at once.
LONGEST_ROW = 4 * 1024 * 1024
_PIECE = 256 * 1024
_ROW = re.compile(rb"<(?:\w+:)?row[\s>/]")
_SHEET = re.compile(r"xl/worksheets/[^/]+\.xml", re.IGNORECASE)
# What the libraries raise over files that are damaged, encrypted, or packed in ways that nobody knows.
_BROKEN = (zipfile.BadZipFile, zlib.error, ParseError, KeyError, ValueError, TypeError, IndexError,
           AttributeError, EOFError, NotImplementedError, OSError, RuntimeError)  # fmt: skip


def count_rows(path: Path) -> int | None:
    """Nothing is unpacked before this has looked. Only one sheet can be counted for certain."""
    with _understood(), zipfile.ZipFile(path) as archive:
        parts = archive.infolist()
        if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > MOST_UNPACKED:
            detail = _("This workbook would unpack to more than %(most)d MB.")
            raise Unreadable(detail % {"most": MOST_UNPACKED >> 20})
        sheets = [part for part in parts if _SHEET.fullmatch(part.filename)]
        others = [part for part in parts if part not in sheets]
        if any(part.file_size > MOST_SHARED for part in others):
            raise Unreadable(_("This workbook holds more text than can be read. Save it as CSV."))
        counts = [_count(archive, sheet) for sheet in sheets]
    return min(max(0, counts[0] - 1), MOST_ROWS) if len(counts) == 1 else None


def rows(path: Path) -> Iterator[Row]:
    records = _records(path)
    header = list(next(records, ()))
    while header and header[-1] is None:
        header.pop()
    places = fields_by_place(["" if heading is None else heading for heading in header])
    for number, record in enumerate(islice(records, MOST_ROWS), start=2):
        given = {field: record[place] for place, field in places.items() if place < len(record)}
        yield Row(number, invoice_of(given))
    if next(records, None) is not None:
        detail = _("Only the first %(most)d rows were read: a file has no more. Split it.")
        raise Unreadable(detail % {"most": MOST_ROWS})


def _records(path: Path) -> Iterator[Sequence[Cell]]:
    # A tenth of what every process would load when it starts.
    from openpyxl import load_workbook  # type: ignore[import-untyped]  # noqa: PLC0415

    with _understood(), path.open("rb") as file:
        workbook = load_workbook(file, read_only=True, data_only=True, keep_links=False)
        try:
            sheet = workbook.worksheets[0]
            # What the file says of its size may be nonsense, and rows would be filled up to it.
            sheet.reset_dimensions()
            yield from sheet.iter_rows(max_col=MOST_COLUMNS + 1, values_only=True)
        finally:
            workbook.close()


def _count(archive: zipfile.ZipFile, sheet: zipfile.ZipInfo) -> int:
    """How many rows begin; unpacked no further than it says, and none of it kept."""
    count, since, rest = 0, 0, b""
    with archive.open(sheet) as packed:
        while piece := packed.read(_PIECE):
            text = rest + piece
            begins = list(_ROW.finditer(text))
            count += len(begins)
            since = len(text) - begins[-1].start() if begins else since + len(piece)
            # A comment may hold what only looks like the beginning of a row; no spreadsheet writes any.
            if since > LONGEST_ROW or b"<!" in text:
                raise Unreadable(_("This workbook has a row that is longer than can be read."))
            # A beginning may be cut in two.
            rest = piece[-40:] if not begins or begins[-1].end() < len(rest) + len(piece) - 40 else b""
    return count


@contextmanager
def _understood() -> Iterator[None]:
    """The library meets broken files with whatever error comes first."""
    try:
        yield
    except _BROKEN as error:
        raise Unreadable(_("This is no workbook that can be read. Save it as XLSX or CSV.")) from error
