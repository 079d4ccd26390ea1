"""What the readers of all formats hand on."""

from dataclasses import dataclass

from apps.billing.new_invoice import Mistake, NewInvoice

MOST_ROWS = 200_000
MOST_COLUMNS = 60


class Unreadable(Exception):
    """The file as a whole, with a sentence that says why."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Row:
    # As a spreadsheet counts: from 1, the header too.
    number: int
    # What is wrong with it; None where the row is empty.
    wanted: NewInvoice | list[Mistake] | None
