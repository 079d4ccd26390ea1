"""Single cells: what people and spreadsheets write for amounts, days and texts."""

import re
from datetime import date, datetime
from decimal import Decimal

from babel.numbers import get_currency_precision
from django.utils.translation import gettext as _

# What a cell holds: text, or what a spreadsheet knows it to be.
type Cell = str | int | float | bool | date | datetime | None

LONGEST = 20_000
_SPACES = re.compile(r"[\s\u00a0\u202f']")
_SYMBOL = re.compile(r"^(R\$|US\$|€|\$|[A-Za-z]{3})")
_DECIMAL = re.compile(r"-?\d+([.,]\d{1,2})?", re.ASCII)
_THOUSANDS_COMMA = re.compile(r"-?\d{1,3}(\.\d{3})+(,\d{1,2})", re.ASCII)
_THOUSANDS_POINT = re.compile(r"-?\d{1,3}(,\d{3})+(\.\d{1,2})", re.ASCII)
_MILLIONS = re.compile(r"-?\d{1,3}((\.\d{3}){2,}|(,\d{3}){2,})", re.ASCII)
_AMBIGUOUS = re.compile(r"-?\d{1,3}[.,]\d{3}", re.ASCII)
_ISO_DAY = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})([T ].*)?", re.ASCII)
_DAY_FIRST = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})( .*)?", re.ASCII)
_TAGS = re.compile(r"[,;|]")


class BadCell(Exception):
    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code)
        self.code, self.detail = code, detail


def text(cell: Cell) -> str:
    """As a person would have typed it."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    written = str(cell).strip()
    if len(written) > LONGEST:
        raise BadCell("max_length", _("At most %(most)d characters.") % {"most": LONGEST})
    return written


def amount(cell: Cell, currency: str) -> int:
    """In the smallest unit. What could mean two amounts is refused: a thousandfold bill is worse than none."""
    value = _from_number(cell) if isinstance(cell, int | float) else _from_text(text(cell))
    cents = value * Decimal(10) ** get_currency_precision(currency)
    if cents != cents.to_integral_value():
        raise BadCell("too_many_decimals", _("This has more decimals than %(currency)s.") % {"currency": currency})
    return int(cents)


def cents(cell: Cell) -> int:
    digits = text(cell)
    if not digits.isascii() or not digits.isdigit() or len(digits) > 18:
        raise BadCell("bad_amount", _("This must be a whole number of cents."))
    return int(digits)


def day(cell: Cell) -> date:
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    written = text(cell)
    if iso := _ISO_DAY.fullmatch(written):
        year, month, day_of_month = iso[1], iso[2], iso[3]
    elif local := _DAY_FIRST.fullmatch(written):
        day_of_month, month, year = local[1], local[2], local[3]
    else:
        raise BadCell("bad_date", _("Write a date as 31/12/2026 or 2026-12-31."))
    try:
        return date(int(year), int(month), int(day_of_month))
    except ValueError:
        raise BadCell("bad_date", _("There is no such day.")) from None


def tags(cell: Cell) -> list[str]:
    return [tag.strip() for tag in _TAGS.split(text(cell)) if tag.strip()]


def _from_number(cell: float) -> Decimal:
    """What a spreadsheet reckoned is a hair beside what it shows."""
    if isinstance(cell, bool) or abs(cell) > 1e15 or cell != cell:  # noqa: PLR0124 - NaN is no number
        raise _no_amount()
    exact = Decimal(repr(cell))
    shown = round(exact, 3)
    return shown if abs(exact - shown) < Decimal("0.00001") else exact


def _from_text(written: str) -> Decimal:
    bare = _SYMBOL.sub("", _SPACES.sub("", written))
    if len(bare) > 30:
        raise _no_amount()
    if _AMBIGUOUS.fullmatch(bare):
        detail = _("This may be a thousand or a fraction. Write it with cents, such as 1.234,00 or 1234.00.")
        raise BadCell("ambiguous_amount", detail)
    if _DECIMAL.fullmatch(bare):
        return Decimal(bare.replace(",", "."))
    if _THOUSANDS_COMMA.fullmatch(bare):
        return Decimal(bare.replace(".", "").replace(",", "."))
    if _THOUSANDS_POINT.fullmatch(bare):
        return Decimal(bare.replace(",", ""))
    if _MILLIONS.fullmatch(bare):
        return Decimal(bare.replace(",", "").replace(".", ""))
    raise _no_amount()


def _no_amount() -> BadCell:
    return BadCell("bad_amount", _("This is no amount: they look like 1.234,56 or 1234.56."))
