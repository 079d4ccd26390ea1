"""JSON: a list, or an object a line. The objects are those of the API, or the columns of a table as text."""

from collections.abc import Iterator
from pathlib import Path

import orjson
from django.utils.translation import gettext as _

from apps.billing.api.bodies import FIELDS, read_invoice
from apps.billing.importing.columns import field_of, invoice_of
from apps.billing.importing.row import MOST_COLUMNS, MOST_ROWS, Row, Unreadable
from apps.billing.new_invoice import Mistake, NewInvoice

# A list is in memory whole; lines are not.
LARGEST_LIST = 20 * 1024 * 1024
LONGEST_LINE = 256 * 1024
_BOM = b"\xef\xbb\xbf"


def count_rows(path: Path) -> int:
    count = len(_list(path)) if _is_list(path) else sum(1 for _line in _lines(path))
    if count > MOST_ROWS:
        raise Unreadable(_("A file has at most %(most)d rows. Split it.") % {"most": MOST_ROWS})
    return count


def rows(path: Path) -> Iterator[Row]:
    if _is_list(path):
        for number, given in enumerate(_list(path), start=1):
            yield Row(number, _invoice_of(given))
        return
    for number, line in enumerate(_lines(path), start=1):
        yield Row(number, _from_line(line))


def _from_line(line: bytes) -> NewInvoice | list[Mistake] | None:
    if not line.strip():
        return None
    if len(line) > LONGEST_LINE:
        return [Mistake("", "too_large", _("This line is too long."))]
    try:
        return _invoice_of(orjson.loads(line))
    except orjson.JSONDecodeError:
        return [Mistake("", "malformed_json", _("This line is not valid JSON."))]


def _invoice_of(given: object) -> NewInvoice | list[Mistake] | None:
    """A table's column is only ever text, so that a number is always in cents, as in the API."""
    if not isinstance(given, dict) or _is_as_in_api(given):
        return read_invoice(given)
    if len(given) > MOST_COLUMNS:
        return [Mistake("", "too_many_columns", _("This object has more fields than a table has columns."))]
    fields: dict[str, str] = {}
    for heading, value in given.items():
        field = field_of(heading)
        if field is None or value is None:
            continue
        if not isinstance(value, str):
            return [Mistake(str(heading)[:60], "wrong_type", _('Write this as text, such as "1234.56".'))]
        if field in fields:
            return [Mistake(str(heading)[:60], "repeated", _("Two columns are the same."))]
        fields[field] = value
    return invoice_of(fields) or [Mistake("", "required", _("There is nothing in this object that we know."))]


def _is_as_in_api(given: dict[str, object]) -> bool:
    customer = given.get("customer")
    if isinstance(customer, dict) or "contact_id" in given:
        return True
    return given.keys() <= FIELDS and not isinstance(customer, str)


def _is_list(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(1024).removeprefix(_BOM).lstrip().startswith(b"[")


def _list(path: Path) -> list[object]:
    if path.stat().st_size > LARGEST_LIST:
        raise Unreadable(_("A JSON list of this size is brought as lines: an object on each."))
    try:
        read = orjson.loads(path.read_bytes().removeprefix(_BOM))
    except orjson.JSONDecodeError as error:
        detail = _("This is not valid JSON: line %(line)d, column %(column)d.")
        raise Unreadable(detail % {"line": error.lineno, "column": error.colno}) from error
    if not isinstance(read, list):
        raise Unreadable(_("A list of invoices is needed, or an object on each line."))
    return read


def _lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from (line.removeprefix(_BOM) for line in file)
