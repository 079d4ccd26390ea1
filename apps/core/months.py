"""Calendar months, of UTC: what is counted by the month turns everywhere at once."""

from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class Month:
    begins: datetime
    # When the next one begins.
    ends: datetime


def month_of(moment: datetime) -> Month:
    moment = moment.astimezone(UTC)
    begins = datetime(moment.year, moment.month, 1, tzinfo=UTC)
    years, month = divmod(moment.month, 12)
    return Month(begins, datetime(moment.year + years, month + 1, 1, tzinfo=UTC))
