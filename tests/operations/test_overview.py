"""The first page of the admin: how it goes, of one's own organization only, without counting history."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from apps.accounts.models import User
from apps.channels import accounts
from apps.core import clock
from apps.core.redis import redis_client
from apps.operations import workers
from apps.operations.look import look
from apps.operations.models import Span, Traffic, TrafficCursor
from apps.operations.overview import overview
from apps.operations.traffic import latency
from apps.operations.traffic.read import Period, Sums, by_account, by_time
from tests.cast import Api, House
from tests.live.test_views import browser_of
from tests.messaging import history

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _without_second_factor(settings: Settings) -> None:
    settings.ADMIN_REQUIRES_MFA = False


def traffic(house: House, ago: timedelta = timedelta(), span: Span = Span.MINUTE, **sums: int) -> None:
    moment = (clock.now() - ago).replace(second=0, microsecond=0)
    if span is not Span.MINUTE:
        moment = moment.replace(minute=0)
    counts = latency.empty()
    counts[0] = sums.get("sent", 0)
    Traffic.across_organizations.create(
        organization=house.organization, account=history.account_of(house), span=span, starts_at=moment,
        latency=counts, **sums,
    )  # fmt: skip


@pytest.fixture
def superuser() -> Client:
    return browser_of(User.objects.create_superuser("root@recado.example", "pão-de-queijo-quente"))


def shown(client: Client, query: str = "", **headers: str) -> str:
    answer = client.get(f"/admin/overview/{query}", headers=headers)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_time_has_no_gaps_and_ends_now(aurora: House, boreal: House) -> None:
    traffic(aurora, timedelta(minutes=59), sent=3)
    traffic(aurora, sent=4, failed=1)
    traffic(aurora, timedelta(minutes=61), sent=100)
    traffic(boreal, sent=7)
    points = by_time(aurora.organization.id, Period.HOUR)
    assert len(points) == 60
    assert points[-1].starts_at - points[0].starts_at == timedelta(minutes=59)
    assert (points[0].sums, points[-1].sums) == (Sums(sent=3), Sums(sent=4, failed=1))
    assert sum(point.sums.sent for point in by_time(None, Period.HOUR)) == 14
    assert [len(by_time(None, period)) for period in (Period.DAY, Period.WEEK)] == [24, 168]


def test_accounts_are_added_up_with_their_latency(aurora: House, boreal: House) -> None:
    traffic(aurora, timedelta(minutes=2), sent=3, delivered=2)
    traffic(aurora, sent=1)
    traffic(boreal, sent=7)
    (found,) = by_account(aurora.organization.id, Period.HOUR).values()
    assert (found.sums.sent, found.sums.delivered, found.latency[0], sum(found.latency)) == (4, 2, 4, 4)
    assert len(by_account(None, Period.HOUR)) == 2


def test_delivery_rate_is_that_of_channels_that_tell(aurora: House) -> None:
    assert overview(aurora.organization.id, Period.HOUR).delivery_rate is None
    traffic(aurora, sent=10, delivered=9)
    Traffic.across_organizations.create(
        organization=aurora.organization, account=history.account_of(aurora, "telegram"), span=Span.MINUTE,
        starts_at=clock.now().replace(second=0, microsecond=0), latency=latency.empty(), sent=90,
    )  # fmt: skip
    assert overview(aurora.organization.id, Period.HOUR).delivery_rate == 0.9


def test_rate_is_that_of_whole_minutes(aurora: House) -> None:
    traffic(aurora, sent=1000)  # of the minute that is not over
    for minutes in (1, 3):
        traffic(aurora, timedelta(minutes=minutes), sent=10)
    for period in Period:
        assert overview(aurora.organization.id, period).per_minute == 4.0


def test_what_is_wrong_comes_first(aurora: House) -> None:
    traffic(aurora, sent=5)
    idle = history.account_of(aurora, "telegram")
    accounts.pause(aurora.principal(), idle, reason="token revoked")
    history.dead(aurora)
    look()
    found = overview(aurora.organization.id, Period.HOUR)
    assert [(row.connector, row.paused_because) for row in found.accounts] == [
        ("telegram", "token revoked"), ("whatsapp_cloud", "")
    ]  # fmt: skip
    assert (found.paused, found.dead_letters) == (1, {"message_rejected": 1})
    assert (found.p50, found.p95) == (0.1, 0.1)


def test_member_sees_their_own_organization_only(aurora: House, boreal: House) -> None:
    history.account_of(aurora)
    traffic(boreal, sent=7777)
    look()
    text = shown(browser_of(aurora.viewer.user))
    assert "whatsapp_cloud of aurora" in text
    assert "boreal" not in text
    assert "7,777" not in text
    assert "Installation" not in text


def test_superuser_sees_all_and_who_works(superuser: Client, aurora: House, boreal: House) -> None:
    traffic(boreal, sent=7777)
    assert "Nothing was counted yet: is beat running?" in shown(superuser)
    assert "never" in shown(superuser)
    look()
    TrafficCursor.objects.create(pk=1, transaction="0", event_id=0, counted_at=clock.now())
    workers.say_alive(type("Worker", (), {"hostname": "dispatch@one"}))
    text = shown(superuser)
    assert "whatsapp_cloud of boreal" in text
    assert "dispatch@one" in text
    assert "1 worker<" in text
    assert "never" not in text


def test_worker_that_is_silent_is_not_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    worker = type("Worker", (), {"hostname": "dispatch@one"})
    monkeypatch.setattr(workers, "_said_at", 0.0)
    workers.say_alive(worker)
    assert workers.alive() == ["dispatch@one"]
    redis_client().zadd(workers.KEY, {"gone@one": 0})
    assert workers.alive() == ["dispatch@one"]
    workers.say_goodbye(worker)
    assert workers.alive() == []


def test_first_page_is_the_overview_in_the_readers_language(aurora: House) -> None:
    client = browser_of(aurora.owner.user)
    answer = client.get("/admin/", headers={"accept-language": "pt-BR"})
    assert answer.status_code == 200
    text = answer.content.decode()
    assert "Mensagens por minuto" in text
    assert "operations/overview.js" in text


@pytest.mark.parametrize("period", ["hour", "day", "week", "x"])
def test_periods_are_known(aurora: House, period: str) -> None:
    assert 'aria-current="page"' in shown(browser_of(aurora.owner.user), f"?period={period}")


def test_strangers_see_no_overview(aurora: House) -> None:
    assert Client().get("/admin/overview/").status_code == 302
    nobody = User.objects.create_user("nobody@recado.example", "pão-de-queijo-quente")
    assert browser_of(nobody).get("/admin/overview/").status_code == 302


def test_overview_takes_as_many_statements_whatever_there_is(
    superuser: Client, aurora: House, boreal: House
) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as asked:
            shown(superuser)
        return len(asked)

    look()
    few = statements()
    for house in (aurora, boreal):
        traffic(house, sent=5)
        history.dead(house)
        history.account_of(house, "telegram")
    look()
    assert statements() == few


def test_api_tells_the_same(owner: Api, aurora: House, boreal: House) -> None:
    traffic(aurora, sent=5, delivered=4)
    traffic(boreal, sent=7777)
    history.dead(aurora)
    look()
    found = owner.get("/v1/overview?period=day").json()
    assert (found["period"], found["delivery_rate"], found["dead_letters"]) == (
        "day",
        None,
        {"message_rejected": 1},
    )
    found = owner.get("/v1/overview").json()
    assert (found["sums"]["sent"], found["delivery_rate"], found["p50"], len(found["points"])) == (5, 0.8, 0.1, 60)
    (account,) = found["accounts"]
    assert (account["channel"], account["sums"]["delivered"], account["breaker"]) == ("whatsapp_cloud", 4, "")
    assert owner.get("/v1/overview?period=year").status_code == 400
