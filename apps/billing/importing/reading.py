"""Which format a file has, by what it begins with; and its rows, whichever it is."""

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from apps.billing.importing import documents, tables, workbooks
from apps.billing.importing.row import Row

_ZIP = b"PK\x03\x04"
_BOM = b"\xef\xbb\xbf"


def count_rows(path: Path) -> int | None:
    """How many rows it has, where that can be known. Raises Unreadable for what is not to be read at all."""
    count: int | None = _format_of(path).count_rows(path)
    return count


def rows(path: Path) -> Iterator[Row]:
    """In their order, always the same. Raises Unreadable."""
    read: Iterator[Row] = _format_of(path).rows(path)
    return read


def _format_of(path: Path) -> ModuleType:
    with path.open("rb") as file:
        head = file.read(1024)
    if head.startswith(_ZIP):
        return workbooks
    return documents if head.removeprefix(_BOM).lstrip()[:1] in {b"[", b"{"} else tables
