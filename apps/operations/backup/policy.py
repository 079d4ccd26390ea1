"""Which backups stay: the newest of each of the last days, weeks and months that have one."""

from collections.abc import Callable, Collection, Hashable
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class Policy:
    daily: int
    weekly: int
    monthly: int


def kept(times: Collection[datetime], policy: Policy) -> set[datetime]:
    """Periods without a backup count for nothing: after a month of failures, what was there before is still there.

    The newest always stays, whatever the policy says.
    """
    newest_first = sorted(times, reverse=True)
    return {
        *newest_first[:1],
        *_newest_of_each(newest_first, policy.daily, lambda at: at.date()),
        *_newest_of_each(newest_first, policy.weekly, lambda at: at.isocalendar()[:2]),
        *_newest_of_each(newest_first, policy.monthly, lambda at: (at.year, at.month)),
    }


def _newest_of_each(
    newest_first: list[datetime], most: int, period: Callable[[datetime], Hashable]
) -> list[datetime]:
    found: dict[Hashable, datetime] = {}
    for at in newest_first:
        found.setdefault(period(at.astimezone(UTC)), at)
    return list(found.values())[:most]
