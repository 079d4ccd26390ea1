"""What Prometheus is told of the whole installation: read seldom, and never in the way of anything else."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import ApiKey
from apps.channels.models import ChannelAccount
from apps.core import clock
from apps.core.breaker import Breaker
from apps.core.metrics.declared import Reading, every
from apps.core.redis import RedisError, redis_client
from apps.messaging.models import Delivery, EventCursor, MessageEvent
from apps.operations import installation, metrics
from apps.operations.installation import Installation, read
from apps.operations.look import look
from tests.cast import House
from tests.messaging import history

pytestmark = pytest.mark.django_db

WHATSAPP = "whatsapp_cloud"


def test_what_waits_and_what_failed_is_read(aurora: House, boreal: House) -> None:
    history.dead(aurora, to="+5511912345699")
    first, _ = (history.queued(aurora, to=to) for to in (history.ANA, history.BIA))
    history.queued(boreal)
    Delivery.across_organizations.filter(message=first).update(due_at=clock.now() - timedelta(seconds=90))
    look()

    found = read()

    assert found[metrics.BACKLOG] == {(WHATSAPP,): 3}
    assert found[metrics.SCHEDULED] == {(WHATSAPP,): 0}
    assert 89 < found[metrics.OLDEST_WAITING][WHATSAPP,] < 120
    assert found[metrics.DEAD_LETTERS] == {(WHATSAPP, "message_rejected"): 1}
    assert found[metrics.READ_FAILED] == {(): 0}


def test_accounts_are_counted_by_how_they_stand(aurora: House, boreal: House) -> None:
    account, other = history.account_of(aurora), history.account_of(boreal)
    ChannelAccount.across_organizations.filter(pk=account.pk).update(paused_at=clock.now(), is_refused=True)
    ChannelAccount.across_organizations.filter(pk=other.pk).update(draining_at=clock.now())
    assert read()[metrics.ACCOUNTS] == {
        (WHATSAPP, "active"): 0,
        (WHATSAPP, "paused"): 0,
        (WHATSAPP, "refused"): 1,
        (WHATSAPP, "draining"): 1,
    }


def test_breakers_are_asked_where_anything_waits_and_no_more_than_a_bound(
    aurora: House, boreal: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    breaker = Breaker(redis_client())
    for house in (aurora, boreal):
        history.queued(house)
        account = history.account_of(house)
        breaker.failed(f"account:{account.pk}", account.breaker_policy, times=account.breaker_failures)
    look()
    assert read()[metrics.BREAKERS] == {
        (WHATSAPP, "closed"): 0,
        (WHATSAPP, "open"): 2,
        (WHATSAPP, "half_open"): 0,
    }
    monkeypatch.setattr(installation, "MOST_BREAKERS", 1)
    assert read()[metrics.BREAKERS][WHATSAPP, "open"] == 1


def test_keys_stream_and_beat_are_read(aurora: House) -> None:
    EventCursor.objects.update_or_create(pk=1, defaults={"transaction": "0", "event_id": 0})
    expires = clock.now() + timedelta(days=3)
    ApiKey.across_organizations.filter(organization=aurora.organization).update(expires_at=expires)
    keys = ApiKey.across_organizations.filter(organization=aurora.organization).count()
    history.queued(aurora)
    MessageEvent.across_organizations.update(at=clock.now() - timedelta(seconds=40))

    found = read()

    assert found[metrics.KEYS_EXPIRING] == {("api_key",): keys, ("installation_key",): 0}
    assert 39 < found[metrics.STREAM_LAG][()] < 60
    assert found[metrics.BEAT_SILENT] == {(): float("inf")}
    assert found[metrics.WORKERS_ALIVE] == {(): 0}
    assert (found[metrics.RECEIPTS_UNMATCHED], found[metrics.CALLBACKS_WAITING]) == ({(): 0}, {(): 0})


def test_all_that_is_declared_is_read(aurora: House) -> None:
    history.queued(aurora)
    history.dead(aurora, to="+5511912345699")
    look()
    assert set(read()) == {metric for metric in every() if isinstance(metric, Reading)}


def test_however_many_look_it_is_read_once(aurora: House, monkeypatch: pytest.MonkeyPatch) -> None:
    collector = Installation()
    with CaptureQueriesContext(connection) as queries:
        for _ in range(10):
            list(collector.collect())
    assert len([query for query in queries if query["sql"].lstrip().startswith("SELECT")]) == 4
    collector._read_at -= installation.REMEMBERED_SECONDS
    with CaptureQueriesContext(connection) as queries:
        list(collector.collect())
    assert len(queries) > 0


@pytest.fixture
def _no_database(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def fails(*_: object) -> None:
        raise OperationalError("the server closed the connection")

    monkeypatch.setattr(installation, "_read_accounts", fails)
    # The test's own, which is to be rolled back.
    monkeypatch.setattr(connection, "close", lambda: None)
    return iter([None])


@pytest.mark.usefixtures("_no_database")
def test_without_the_database_the_rest_is_told(aurora: House) -> None:
    found = {family.name: family for family in Installation().collect()}
    assert found["recado_installation_read_failed"].samples[0].value == 1
    assert "recado_workers_alive" in found
    assert "recado_backlog" not in found


def test_without_redis_the_rest_is_told(aurora: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise RedisError

    history.queued(aurora)
    look()
    monkeypatch.setattr(installation, "ask_all", fails)
    found = read()
    assert found[metrics.READ_FAILED] == {(): 1}
    assert found[metrics.BACKLOG] == {(WHATSAPP,): 1}
    assert metrics.BREAKERS not in found


def test_what_waits_because_its_account_was_stopped_is_not_late(aurora: House) -> None:
    message = history.queued(aurora)
    Delivery.across_organizations.filter(message=message).update(due_at=clock.now() - timedelta(days=1))
    look()
    assert read()[metrics.OLDEST_WAITING][WHATSAPP,] > 3600
    ChannelAccount.across_organizations.update(paused_at=clock.now())
    found = read()
    assert (found[metrics.OLDEST_WAITING][WHATSAPP,], found[metrics.BACKLOG][WHATSAPP,]) == (0, 1)
