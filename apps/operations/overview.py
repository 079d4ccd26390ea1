"""What operators look at first: how much comes and goes, how fast, what waits, and what is wrong."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from apps.channels.liveness import breaker_state
from apps.channels.models import ChannelAccount
from apps.channels.registry import connector_class
from apps.core import clock
from apps.operations.models import Standing
from apps.operations.traffic import latency
from apps.operations.traffic.read import OfAccount, Period, Point, Sums, by_account, by_time

# More than anybody reads: those with most to do come first.
MOST_ACCOUNTS = 50
# Of so many of them Redis is asked how their breakers stand.
MOST_BREAKERS = 20
# So many whole minutes tell how many messages a minute leave.
_RATE_MINUTES = 5


@dataclass(frozen=True, slots=True)
class AccountRow:
    id: UUID
    name: str
    connector: str
    sums: Sums
    # In seconds; None where nothing left.
    p95: float | None
    # Whether its channel ever says that something arrived.
    reports_delivered: bool
    waiting: int
    # Since when the first of those that could leave waits.
    oldest_due_at: datetime | None
    paused_because: str
    draining_because: str
    # Empty where it is closed, or nobody asked.
    breaker: str


@dataclass(frozen=True, slots=True)
class Overview:
    period: Period
    points: list[Point]
    sums: Sums
    per_minute: float
    p50: float | None
    p95: float | None
    waiting: int
    scheduled: int
    oldest_due_at: datetime | None
    # Open ones, by kind of error, the most first.
    dead_letters: Mapping[str, int]
    accounts: list[AccountRow]
    more_accounts: int
    # When the standings were counted; None where nobody has yet.
    looked_at: datetime | None
    # Of what left in this time, what arrived in it; None where no channel tells.
    delivery_rate: float | None
    paused: int
    now: datetime


def overview(organization_id: UUID | None, period: Period) -> Overview:
    """Of an organization, or of the whole installation."""
    of_accounts = by_account(organization_id, period)
    points = by_time(organization_id, period)
    minutes = points if period is Period.HOUR else by_time(organization_id, Period.HOUR)
    standings = _standings(organization_id)
    slowness = [sum(counts) for counts in zip(*(each.latency for each in of_accounts.values()), strict=True)]
    accounts = _accounts(organization_id)
    rows = sorted(accounts.values(), key=lambda each: _importance(each, of_accounts, standings), reverse=True)
    dead: Counter[str] = Counter()
    for standing in standings.values():
        dead.update(standing.dead_letters)
    now = clock.now()
    oldest = [standing.oldest_due_at for standing in standings.values() if standing.oldest_due_at is not None]
    return Overview(
        period=period,
        points=points,
        sums=_sum([point.sums for point in points]),
        per_minute=sum(each.sums.sent for each in minutes[-1 - _RATE_MINUTES : -1]) / _RATE_MINUTES,
        p50=latency.quantile(slowness, 0.5),
        p95=latency.quantile(slowness, 0.95),
        waiting=sum(standing.waiting for standing in standings.values()),
        scheduled=sum(standing.scheduled for standing in standings.values()),
        oldest_due_at=min(oldest, default=None),
        dead_letters=dict(dead.most_common()),
        accounts=[
            _row(account, n, of_accounts.get(account.pk), standings.get(account.pk), now)
            for n, account in enumerate(rows[:MOST_ACCOUNTS])
        ],
        more_accounts=max(0, len(rows) - MOST_ACCOUNTS),
        looked_at=max((standing.looked_at for standing in standings.values()), default=None),
        delivery_rate=_delivery_rate(accounts, of_accounts),
        paused=sum(account.is_paused(now) for account in accounts.values()),
        now=now,
    )


def _delivery_rate(accounts: Mapping[UUID, ChannelAccount], of_accounts: Mapping[UUID, OfAccount]) -> float | None:
    telling = [each.sums for pk, each in of_accounts.items() if pk in accounts and _tells(accounts[pk])]
    sent = sum(sums.sent for sums in telling)
    return min(1.0, sum(sums.delivered for sums in telling) / sent) if sent else None


def _tells(account: ChannelAccount) -> bool:
    return connector_class(account.connector).capabilities.reports_delivered


def _accounts(organization_id: UUID | None) -> dict[UUID, ChannelAccount]:
    found = ChannelAccount.across_organizations.defer("credentials")
    if organization_id is not None:
        found = found.filter(organization=organization_id)
    return {account.pk: account for account in found}


def _standings(organization_id: UUID | None) -> dict[UUID, Standing]:
    found = Standing.across_organizations.all()
    if organization_id is not None:
        found = found.filter(organization=organization_id)
    return {standing.account_id: standing for standing in found}


def _importance(
    account: ChannelAccount, of_accounts: Mapping[UUID, OfAccount], standings: Mapping[UUID, Standing]
) -> tuple[bool, int, str]:
    standing, traffic = standings.get(account.pk), of_accounts.get(account.pk)
    waiting = standing.waiting if standing else 0
    return (account.is_paused(clock.now()), waiting + (traffic.sums.accepted if traffic else 0), str(account.pk))


def _row(
    account: ChannelAccount, place: int, traffic: OfAccount | None, standing: Standing | None, now: datetime
) -> AccountRow:
    breaker = breaker_state(account) if place < MOST_BREAKERS else None
    return AccountRow(
        id=account.pk,
        name=account.name,
        connector=account.connector,
        sums=traffic.sums if traffic else Sums(),
        p95=latency.quantile(traffic.latency, 0.95) if traffic else None,
        reports_delivered=_tells(account),
        waiting=standing.waiting if standing else 0,
        oldest_due_at=standing.oldest_due_at if standing else None,
        paused_because=account.pause_reason if account.is_paused(now) else "",
        draining_because=account.drain_reason if account.is_draining(now) else "",
        breaker=breaker.status if breaker and breaker.status != "closed" else "",
    )


def _sum(many: list[Sums]) -> Sums:
    names = Sums.__slots__
    return Sums(**{name: sum(getattr(each, name) for each in many) for name in names})
