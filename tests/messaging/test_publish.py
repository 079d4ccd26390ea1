"""Every committed event reaches the stream, in the order of commits, and none is left behind."""

import threading
import time
from typing import Any

import orjson
import pytest
from django.db import connection, transaction

from apps.core.redis import RedisError, redis_client
from apps.messaging.engine import publisher
from apps.messaging.engine.publish import Look, compare, publish_batch, publish_forgotten
from apps.messaging.models import EventCursor
from apps.realtime import stream
from apps.realtime.stream import EPOCH, stream_of
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
        published += publish_batch().published
    return published


def wait_for_others() -> None:
    """Until no other database of this server holds our events back."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT bool_and(transaction < pg_snapshot_xmin(pg_current_snapshot())) FROM message_event"
            )
            if cursor.fetchone()[0]:
                return


def cursor_row() -> tuple[str, int]:
    found = EventCursor.objects.get()
    return str(found.transaction), found.event_id


def set_cursor(row: tuple[str, int]) -> None:
    EventCursor.objects.update(transaction=row[0], event_id=row[1])


def test_events_reach_the_stream_in_order(desk: Desk) -> None:
    (message,) = desk.accept("Bom dia")
    desk.drain()

    published = publish_forgotten()
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
    assert publish_batch().published == 0


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
    assert before.is_more  # somebody has to look again
    may_commit.set()
    thread.join()

    assert publish_now(2) == 2
    assert before.published == 0  # the younger waits for the older, or the older would be behind the cursor
    assert streamed(desk)[-1]["message_id"] == str(quick)


def test_publisher_that_died_before_its_cursor_publishes_nothing_twice(desk: Desk) -> None:
    desk.accept("Bom dia")
    before = cursor_row()
    publish_now(1)
    set_cursor(before)  # as if it had died in between
    desk.accept("Boa tarde")
    publish_now(2)
    assert len({event["event_id"] for event in streamed(desk)}) == len(streamed(desk)) == 2


def test_publishers_that_read_too_early_are_refused_and_look_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One reads, then another publishes more than that, then the first comes to its turn."""
    append = stream.append
    desk.accept("Bom dia")

    def overtaken(*arguments: Any) -> Any:
        monkeypatch.setattr(stream, "append", append)
        desk.accept("Boa tarde")
        publish_now(2)
        return append(*arguments)

    wait_for_others()
    monkeypatch.setattr(stream, "append", overtaken)
    look = publish_batch()
    assert (look.published, look.is_more) == (0, True)
    assert publish_batch() == Look(0, is_more=False)
    assert len({event["event_id"] for event in streamed(desk)}) == len(streamed(desk)) == 2


def test_cursor_that_was_forgotten_follows_the_stream(desk: Desk) -> None:
    desk.accept("Bom dia")
    before = cursor_row()
    publish_now(1)
    after, epoch = cursor_row(), redis_client().get(EPOCH)
    set_cursor(before)
    compare()
    assert cursor_row() == after
    assert redis_client().get(EPOCH) == epoch


@pytest.mark.parametrize(
    "stands_at", ["0/0", "999999999999/7"], ids=["Redis lost its last second", "older database"]
)
def test_streams_that_do_not_hold_what_was_published_begin_again(desk: Desk, stands_at: str) -> None:
    desk.accept("Bom dia")
    publish_now(1)
    epoch = redis_client().get(EPOCH)
    redis_client().set("recado:events:position", stands_at)
    desk.accept("Boa tarde")
    wait_for_others()
    assert publish_batch() == Look(0, is_more=True)  # nobody but the sweep decides that
    publish_forgotten()
    assert redis_client().get(EPOCH) != epoch
    assert len(streamed(desk)) == 2


def test_publisher_of_the_process_publishes_by_itself_and_survives_redis(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = iter([RedisError("gone"), RedisError("gone")])
    append = stream.append

    def fail_at_first(*arguments: Any) -> Any:
        for failure in failures:
            raise failure
        return append(*arguments)

    monkeypatch.setattr(stream, "append", fail_at_first)
    own = publisher.Publisher()
    monkeypatch.setattr(publisher, "_publisher", own)
    monkeypatch.setattr(publisher, "_is_enabled", True)
    desk.accept("Bom dia")
    deadline = time.monotonic() + 10
    while not streamed(desk) and time.monotonic() < deadline:
        time.sleep(0.01)
    own.stop()
    assert [event["kind"] for event in streamed(desk)] == ["queued"]
