"""Every event becomes one delivery for each endpoint that wants it: exactly one, and none is left behind."""

import threading
import time

import orjson
import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from apps.callbacks import endpoints
from apps.callbacks.engine.fan_out import fan_out
from apps.callbacks.engine.payload import Happened
from apps.callbacks.event_types import EventType
from apps.callbacks.models import WebhookDelivery
from apps.core import clock
from apps.core.ids import new_id
from apps.core.redis import redis_client
from apps.messaging.engine.publish import publish_batch
from apps.messaging.models import EventCursor, MessageEvent
from apps.messaging.statuses import EventKind
from tests.callbacks.office import add_endpoint, fan_out_all
from tests.cast import House, add_channel_account
from tests.messaging import history

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("webhook_cursor")]


@pytest.fixture(autouse=True)
def _accounts(aurora: House, boreal: House) -> None:
    for house in (aurora, boreal):
        add_channel_account(house)


def made() -> list[tuple[str, str]]:
    found = WebhookDelivery.across_organizations.order_by("pk")
    return [(each.endpoint.description, each.type) for each in found.select_related("endpoint")]


def test_event_reaches_each_endpoint_that_wants_it_and_no_other(aurora: House, boreal: House) -> None:
    add_endpoint(aurora, description="all")
    add_endpoint(aurora, description="some", event_types=[EventType.SENT, EventType.READ])
    endpoints.disable(aurora.principal(), add_endpoint(aurora, description="disabled"))
    add_endpoint(boreal, description="theirs", event_types=[EventType.READ])
    message = history.sent(aurora)
    history.sent(boreal)

    assert fan_out_all() == 3
    # That it is being sent is nothing to call anybody for.
    assert sorted(made()) == [("all", "message.queued"), ("all", "message.sent"), ("some", "message.sent")]
    delivery = WebhookDelivery.across_organizations.filter(type="message.sent").first()
    assert delivery is not None
    event = MessageEvent.across_organizations.get(message=message, kind=EventKind.SENT)
    assert delivery.event_id == f"msg_evt_{event.pk}"
    assert orjson.loads(delivery.payload) == {
        "type": "message.sent",
        "timestamp": event.at.isoformat().replace("+00:00", "Z"),
        "data": {
            "message_id": str(message.pk),
            "conversation_id": str(message.conversation_id),
            "account_id": str(message.account_id),
            "channel": "whatsapp_cloud",
            "status": "sent",
            "reference": "",
        },
    }


def test_failure_says_why(aurora: House) -> None:
    add_endpoint(aurora, event_types=[EventType.FAILED])
    history.dead(aurora, code="131047")
    fan_out_all()
    data = orjson.loads(WebhookDelivery.across_organizations.get().payload)["data"]
    assert data["status"] == "failed"
    assert data["error"] == {
        "class": "message_rejected",
        "code": "131047",
        "detail": "more than a day since they wrote",
    }


def test_fan_out_that_runs_twice_at_once_makes_each_delivery_once(aurora: House) -> None:
    add_endpoint(aurora, event_types=[EventType.QUEUED])
    for number in range(20):
        history.queued(aurora, to=f"+55119123456{number:02d}")
    together = threading.Barrier(4)

    def run() -> None:
        together.wait()
        for _ in range(5):
            fan_out()
        connection.close()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert fan_out_all() == 20


def test_event_that_is_read_again_makes_no_second_delivery(aurora: House) -> None:
    add_endpoint(aurora)
    history.queued(aurora)
    fan_out_all()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE webhook_cursor SET transaction = '0', event_id = 0")
    assert fan_out_all() == 1


def test_event_of_a_transaction_that_commits_late_is_not_left_behind(aurora: House) -> None:
    add_endpoint(aurora)
    holds, may_commit = threading.Event(), threading.Event()

    def accept_slowly() -> None:
        try:
            with transaction.atomic():
                history.queued(aurora, to=history.ANA)
                holds.set()
                assert may_commit.wait(10)
        finally:
            connection.close()

    thread = threading.Thread(target=accept_slowly)
    thread.start()
    assert holds.wait(10)
    history.queued(aurora, to=history.BIA)
    fan_out()
    # The younger waits for the older, or the older would be behind the cursor.
    assert WebhookDelivery.across_organizations.count() == 0
    may_commit.set()
    thread.join()
    assert fan_out_all() == 2


def test_endpoint_is_not_told_of_what_was_before_it(aurora: House) -> None:
    history.queued(aurora)
    assert fan_out_all() == 0
    add_endpoint(aurora)
    assert fan_out_all() == 0
    history.queued(aurora)
    assert fan_out_all() == 1


def test_many_events_cost_no_more_statements_than_one(aurora: House) -> None:
    add_endpoint(aurora)

    def costs_of(expected: int) -> int:
        """Of the look that found them, however many found nothing: others' transactions hold events back."""
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            with CaptureQueriesContext(connection) as queries:
                fan_out()
            if WebhookDelivery.across_organizations.count() == expected:
                return len(queries)
        raise AssertionError("not all of them became deliveries")

    history.queued(aurora)
    few = costs_of(1)
    with transaction.atomic():
        for number in range(5):
            history.queued(aurora, to=f"+55119123456{number:02d}")
    assert costs_of(6) == few


def test_whoever_publishes_rings_where_somebody_listens(aurora: House, boreal: House) -> None:
    EventCursor.objects.update_or_create(pk=1, defaults={"transaction": "0", "event_id": 0})
    add_endpoint(aurora)

    def publish() -> int:
        while publish_batch().is_more:
            pass
        waiting: int = redis_client().llen("callbacks")
        return waiting

    history.queued(boreal)
    assert publish() == 0
    history.queued(aurora)
    history.queued(aurora)
    assert publish() == 1


@pytest.mark.parametrize("letter", ["x", "\x01", "€", "🥖"])
def test_payload_stays_below_twenty_kilobytes(letter: str) -> None:
    happened = Happened(
        new_id(), new_id(), 2**62, EventKind.RECEIVED, clock.now(), "{}", new_id(), new_id(), new_id(),
        "whatsapp_cloud", "", "a" * 254, letter * 65_536,
    )  # fmt: skip
    assert len(happened.payload.encode()) < 20_000
    data = orjson.loads(happened.payload)["data"]
    assert data["from"] == "a" * 254
    assert data["is_text_cut"] is True
    assert data["text"] == letter * len(data["text"])
