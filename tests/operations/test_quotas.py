"""What an organization may send in a month is counted from what was added up, and said on it."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts import organizations
from apps.accounts.models import Organization, User
from apps.accounts.principal import actor_of
from apps.core import clock
from apps.core.months import month_of
from apps.operations import quotas
from apps.operations.models import Span, Traffic
from apps.operations.traffic import latency
from tests.cast import House, with_key
from tests.messaging import history

pytestmark = pytest.mark.django_db
MARCH = datetime(2026, 3, 17, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def march(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: MARCH)


def add_up(
    house: House, accepted: int, day: datetime = MARCH, span: Span = Span.DAY, connector: str = "sms"
) -> None:
    Traffic.across_organizations.create(
        organization=house.organization, account=history.account_of(house, connector), span=span,
        starts_at=day.replace(hour=0), accepted=accepted, latency=latency.empty(),
    )  # fmt: skip


def give(house: House, quota: int | None) -> None:
    root = User.objects.filter(is_superuser=True).first() or User.objects.create_superuser("r@recado.example", "x")
    organizations.set_quota(actor_of(root), house.organization, quota)


def reached(house: House) -> datetime | None:
    return Organization.objects.get(pk=house.organization.pk).quota_reached_at


@pytest.mark.parametrize(
    ("moment", "begins", "ends"),
    [
        (datetime(2026, 12, 31, 23, 59, tzinfo=UTC), (2026, 12), (2027, 1)),
        (datetime(2026, 1, 1, tzinfo=UTC), (2026, 1), (2026, 2)),
        (datetime.fromisoformat("2026-03-31T22:00:00-03:00"), (2026, 4), (2026, 5)),
    ],
)
def test_months_are_those_of_utc(moment: datetime, begins: tuple[int, int], ends: tuple[int, int]) -> None:
    month = month_of(moment)
    assert month.begins == datetime(*begins, 1, tzinfo=UTC)
    assert month.ends == datetime(*ends, 1, tzinfo=UTC)


def test_use_is_of_this_month_and_of_days(aurora: House, boreal: House) -> None:
    add_up(aurora, 7)
    add_up(aurora, 5, day=MARCH.replace(day=1))
    add_up(aurora, 3, connector="instagram")
    add_up(aurora, 100, day=datetime(2026, 2, 28, tzinfo=UTC))
    add_up(aurora, 100, span=Span.HOUR)
    add_up(boreal, 1)
    assert quotas.used_this_month(aurora.organization.pk) == 15
    everybody = [aurora.organization.pk, boreal.organization.pk]
    assert quotas.used_by(everybody) == dict(zip(everybody, (15, 1), strict=True))


def test_reached_quota_is_said_once_for_all(aurora: House, boreal: House, monkeypatch: pytest.MonkeyPatch) -> None:
    for house in (aurora, boreal):
        give(house, 10)
    add_up(aurora, 9)
    add_up(boreal, 10)
    with CaptureQueriesContext(connection) as asked:
        assert quotas.look() == 1
    assert len(asked) == 1
    assert (reached(aurora), reached(boreal)) == (None, MARCH)
    monkeypatch.setattr(clock, "now", lambda: MARCH + timedelta(hours=1))
    assert quotas.look() == 0
    assert reached(boreal) == MARCH
    add_up(aurora, 1, connector="instagram")
    assert quotas.look() == 1
    assert reached(aurora) is not None


def test_month_turns(aurora: House, monkeypatch: pytest.MonkeyPatch) -> None:
    give(aurora, 10)
    add_up(aurora, 10)
    quotas.look()
    april = datetime(2026, 4, 1, tzinfo=UTC)
    monkeypatch.setattr(clock, "now", lambda: april)
    assert quotas.look() == 1
    assert reached(aurora) is None
    add_up(aurora, 10, day=april)
    Organization.objects.update(quota_reached_at=MARCH)
    assert quotas.look() == 1
    assert reached(aurora) == april, "not as long ago as the month before"


def test_quota_is_raised_lowered_and_taken_away(aurora: House) -> None:
    give(aurora, 10)
    add_up(aurora, 10)
    quotas.look()
    give(aurora, 11)
    assert reached(aurora) is None, "it goes on at once"
    assert quotas.look() == 0
    give(aurora, 5)
    assert reached(aurora) is None, "until somebody looks"
    assert quotas.look() == 1
    assert reached(aurora) == MARCH
    give(aurora, 8)
    assert quotas.look() == 1
    assert reached(aurora) == MARCH, "raised too little"
    give(aurora, None)
    assert reached(aurora) is None
    assert quotas.look() == 0


def test_api_tells_of_the_month(aurora: House) -> None:
    give(aurora, 10)
    add_up(aurora, 10)
    owner = with_key(aurora.organization)
    use = owner.get("/v1/organization/use").json()
    assert use == {
        "month_begins_at": "2026-03-01T00:00:00Z",
        "month_ends_at": "2026-04-01T00:00:00Z",
        "used_this_month": 10,
        "monthly_quota": 10,
        "quota_reached_at": None,
    }
    quotas.look()
    assert owner.get("/v1/organization/use").json()["quota_reached_at"] == "2026-03-17T12:00:00Z"
    Organization.objects.update(quota_reached_at=datetime(2026, 2, 1, tzinfo=UTC))
    assert owner.get("/v1/organization/use").json()["quota_reached_at"] is None
