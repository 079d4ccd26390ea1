"""What an account's list and page show of this moment, looked up once for all accounts of a page."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import admin

from apps.channels.liveness import AccountState, breaker_states, state_of
from apps.channels.models import ChannelAccount
from apps.core import clock
from apps.core.breaker import BreakerState

_SEEN = "_seen_by_the_admin"


@dataclass(frozen=True, slots=True)
class LiveColumn:
    """One more column of the list, by another app: read for all accounts of a page in one statement."""

    name: str
    label: Any  # a text, or a lazy one
    read: Callable[[Sequence[ChannelAccount]], Mapping[UUID, str]]


@dataclass(frozen=True, slots=True)
class Seen:
    at: datetime
    breaker: BreakerState | None
    state: AccountState
    columns: Mapping[str, str]


def look_at(accounts: Sequence[ChannelAccount], columns: Iterable[LiveColumn] = ()) -> None:
    """What is seen stays with the accounts, for those who show it."""
    now = clock.now()
    breakers = breaker_states(accounts)
    values = {column.name: column.read(accounts) for column in columns}
    for account in accounts:
        breaker = breakers.get(account.pk)
        of_it = {name: read.get(account.pk, "–") for name, read in values.items()}
        setattr(account, _SEEN, Seen(now, breaker, state_of(account, breaker, now), of_it))


def seen(account: ChannelAccount) -> Seen:
    if not hasattr(account, _SEEN):
        look_at([account])
    found: Seen = getattr(account, _SEEN)
    return found


def display_of(column: LiveColumn) -> Callable[[ChannelAccount], Any]:
    @admin.display(description=column.label)
    def shown(account: ChannelAccount) -> str:
        return seen(account).columns.get(column.name, "–")

    # By which the list names the cells.
    shown.__name__ = column.name
    return shown
