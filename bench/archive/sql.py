"""Statements of the archive, and how many of everything there are."""

from dataclasses import dataclass
from typing import Any

from django.db import connection

ORGANIZATIONS = 20
ACCOUNTS_EACH = 10
DAYS = 90


@dataclass(frozen=True, slots=True)
class Sizes:
    messages: int

    @property
    def values(self) -> dict[str, Any]:
        share = self.messages / 10_000_000
        return {
            "organizations": ORGANIZATIONS,
            "accounts_each": ACCOUNTS_EACH,
            "days": DAYS,
            "messages": self.messages,
            "people": self.messages // 20,
            "queued": int(4_000 * share) + 400,
            # So many of the newest have their events, and were written since PostgreSQL last tidied up.
            "newest": min(200_000, self.messages // 10),
            "deliveries": int(300_000 * share),
            "events": int(100_000 * share),
            "invoices": int(100_000 * share),
            "registrations": int(50_000 * share),
            "files": int(50_000 * share),
        }


def run(statements: str, sizes: Sizes, **more: Any) -> None:
    with connection.cursor() as cursor:
        for statement in statements.split(";\n"):
            if statement.strip():
                cursor.execute(statement, {**sizes.values, **more})


def when(number: str, count: str) -> str:
    """The id of the `number`th of `count`, the first of them made at the beginning of these days."""
    return f"uuidv7(make_interval(secs => -%(days)s * 86400.0 * ({count} - {number}) / {count} - 1))"
