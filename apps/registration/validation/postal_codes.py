"""What is known of a postal code: the street and the place that it stands for."""

import csv
from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from django.conf import settings

LOCAL_TABLE = Path(__file__).with_suffix(".csv")


@dataclass(frozen=True, slots=True)
class Place:
    """Small towns have one code for all their streets: then street and district are empty."""

    street: str
    district: str
    city: str
    state: str


class PostalCodes(Protocol):
    def find(self, postal_code: str) -> Place | None:
        """Of eight digits. None where nothing is known, which does not mean that no such code exists."""


class LocalTable:
    """Ranges of codes from a file, of first and last code, street, district, city and state."""

    def __init__(self, path: Path) -> None:
        with path.open(encoding="utf-8", newline="") as source:
            rows = sorted(csv.DictReader(source), key=lambda row: row["first"])
        self._firsts = [row["first"] for row in rows]
        self._lasts = [row["last"] for row in rows]
        self._places = [Place(row["street"], row["district"], row["city"], row["state"]) for row in rows]

    def find(self, postal_code: str) -> Place | None:
        at = bisect_right(self._firsts, postal_code) - 1
        return self._places[at] if at >= 0 and postal_code <= self._lasts[at] else None


def postal_codes() -> PostalCodes | None:
    return _local_table() if settings.REGISTRATION_POSTAL_CODES == "local" else None


@lru_cache(maxsize=1)
def _local_table() -> LocalTable:
    return LocalTable(LOCAL_TABLE)
