"""Every committed event reaches the stream, in the order of commits, and none is left behind."""

import threading
import time
from typing import Any

import orjson
import pytest
from django.db import connection, transaction

from apps.core.redis import redis_client
from apps.messaging.engine.publish import publish, publish_batch
from apps.messaging.models import EventCursor
from apps.realtime.stream import stream_of
from tests.messaging.desk import ANA, BIA, Desk

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _cursor(transactional_db: None) -> None:
    # The migration made the row; the truncation after another test took it away.
    EventCursor.objects.update_or_create(pk=1, defaults={"transaction": "0", "event_id": 0})


def streamed(desk: Desk) -> list[dict[str, Any]]:
    entries: Any = redis_client().xrange(stream_of(desk.organization.id))
    return [event for _, fields in entries for event in orjson.loads(fields[b"events"])]


def publish_now(count: int) -> int:
    """Transactions of the other databases of this server, where other tests run, hold events back as well."""
    published, deadline = 0, time.monotonic() + 10
    while published < count and time.monotonic() < deadline:
        published += publish_batch()
    return published


def test_events_reach_the_stream_in_order(desk: Desk) -> None:
    (message,) = desk.accept("Bom dia")
    desk.drain()

    published = publish()
    assert published + publish_now(3 - published) == 3

    events = streamed(desk)
    assert [(event["kind"], event["status"]) for event in events] == [
        ("queued", "queued"),
        ("sending", "sending"),
        ("sent", "sent"),
    ]
    assert {event["message_id"] for event in events} == {str(message)}
    assert {event["organization_id"] for event in events} == {str(desk.organization.id)}
    assert "Bom dia" not in str(events)
    assert publish_batch() == 0


def test_event_of_a_transaction_that_commits_late_is_not_left_behind(desk: Desk) -> None:
    holds, may_commit = threading.Event(), threading.Event()

    def accept_slowly() -> None:
        try:
            with transaction.atomic():
                desk.accept("slow", to=ANA)
                holds.set()
                assert may_commit.wait(10)
        finally:
            connection.close()

    thread = threading.Thread(target=accept_slowly)
    thread.start()
    assert holds.wait(10)
    (quick,) = desk.accept("quick", to=BIA)
    before = publish_batch()
    may_commit.set()
    thread.join()

    assert publish_now(2) == 2
    assert before == 0  # the younger waits for the older, or the older would be behind the cursor
    assert streamed(desk)[-1]["message_id"] == str(quick)


def test_publisher_that_died_before_its_cursor_publishes_again(desk: Desk) -> None:
    desk.accept("Bom dia")
    with transaction.atomic():
        assert publish_now(1) == 1
        transaction.set_rollback(True)
    assert publish_now(1) == 1
    events = streamed(desk)
    assert [event["event_id"] for event in events] == [events[0]["event_id"]] * 2


def test_second_publisher_has_nothing_to_do_while_the_first_is_at_work(desk: Desk) -> None:
    desk.accept("Bom dia")
    found: list[int] = []

    def publish_too() -> None:
        try:
            found.append(publish_batch())
        finally:
            connection.close()

    with transaction.atomic():
        EventCursor.objects.select_for_update().get()
        thread = threading.Thread(target=publish_too)
        thread.start()
        thread.join()
    assert found == [0]
    assert publish_now(1) == 1
