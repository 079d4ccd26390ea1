"""What was added up, for an organization or for the whole installation: by time, and by account."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db import connection

from apps.core import clock
from apps.operations.models import Span
from apps.operations.traffic.count import COUNTED
from apps.operations.traffic.latency import BUCKETS


class Period(StrEnum):
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"


@dataclass(frozen=True, slots=True)
class _Shape:
    span: Span
    step: timedelta
    steps: int


_SHAPES = {
    Period.HOUR: _Shape(Span.MINUTE, timedelta(minutes=1), 60),
    Period.DAY: _Shape(Span.HOUR, timedelta(hours=1), 24),
    Period.WEEK: _Shape(Span.HOUR, timedelta(hours=1), 7 * 24),
}


@dataclass(frozen=True, slots=True)
class Sums:
    accepted: int = 0
    received: int = 0
    sent: int = 0
    delivered: int = 0
    read: int = 0
    failed: int = 0
    dropped: int = 0
    retried: int = 0


@dataclass(frozen=True, slots=True)
class Point:
    starts_at: datetime
    sums: Sums


@dataclass(frozen=True, slots=True)
class OfAccount:
    sums: Sums
    latency: Sequence[int]


def by_time(organization_id: UUID | None, period: Period) -> list[Point]:
    """Without a gap, oldest first; the last is the one that is not over."""
    shape = _SHAPES[period]
    since = _since(shape)
    rows = _read(_BY_TIME, organization_id, shape.span, since)
    found = {starts_at: Sums(*map(int, sums)) for starts_at, *sums in rows}
    moments = (since + n * shape.step for n in range(shape.steps))
    return [Point(moment, found.get(moment, Sums())) for moment in moments]


def by_account(organization_id: UUID | None, period: Period) -> dict[UUID, OfAccount]:
    """Those at which anything happened."""
    shape = _SHAPES[period]
    rows = _read(_BY_ACCOUNT, organization_id, shape.span, _since(shape))
    return {
        account_id: OfAccount(Sums(*map(int, numbers[: len(COUNTED)])), [int(n) for n in numbers[len(COUNTED) :]])
        for account_id, *numbers in rows
    }


def _since(shape: _Shape) -> datetime:
    now = clock.now()
    begun = now.replace(second=0, microsecond=0)
    if shape.span is Span.HOUR:
        begun = begun.replace(minute=0)
    return begun - (shape.steps - 1) * shape.step


def _read(statement: str, organization_id: UUID | None, span: Span, since: datetime) -> list[Any]:
    whose = "organization_id = %(organization)s AND" if organization_id else ""
    with connection.cursor() as cursor:
        given = {"organization": organization_id, "span": span, "since": since}
        cursor.execute(statement.replace("/* whose */", whose), given)
        return list(cursor.fetchall())


_SUMS = ", ".join(f"sum({name})" for name in COUNTED)
_LATENCY = ", ".join(f"sum(latency[{n}])" for n in range(1, len(BUCKETS) + 2))
_WHICH = "FROM traffic WHERE /* whose */ span = %(span)s AND starts_at >= %(since)s"
_BY_TIME = f"SELECT starts_at, {_SUMS} {_WHICH} GROUP BY starts_at"
_BY_ACCOUNT = f"SELECT account_id, {_SUMS}, {_LATENCY} {_WHICH} GROUP BY account_id"
