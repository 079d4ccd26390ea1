"""What happened to messages is added up: each event once, in its minute, hour and day, for its account."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any

import pytest
from django.db import connection, transaction

from apps.channels.errors import MessageRejected
from apps.core import clock
from apps.messaging.engine.outcome import Result
from apps.messaging.models import Message, MessageEvent
from apps.operations.models import Span, Traffic
from apps.operations.traffic import count, forget, latency
from tests.cast import House
from tests.messaging import history
from tests.messaging.test_publish import wait_for_others

NOON = datetime(2026, 3, 2, 12, 0, 30, tzinfo=UTC)


def happened(message: Message, *kinds: str, at: datetime = NOON) -> None:
    for kind in kinds:
        MessageEvent.across_organizations.create(
            organization=message.organization,
            message=message,
            conversation_id=message.conversation_id,
            kind=kind,
            at=at,
        )


def count_all() -> int:
    """Other tests on the same server have transactions too, behind which nothing is counted."""
    wait_for_others()
    return count.count_new()


def added_up(house: House, span: Span, *names: str) -> list[tuple[Any, ...]]:
    rows = Traffic.objects.for_organization(house.organization).filter(span=span).order_by("starts_at")
    return list(rows.values_list(*names))


@pytest.fixture
def message(aurora: House) -> Message:
    """Whose own events are none of the test's."""
    message = history.queued(aurora)
    MessageEvent.across_organizations.all().delete()
    return message


@pytest.mark.django_db(transaction=True)
def test_what_the_engine_does_is_counted(aurora: House, boreal: House) -> None:
    history.sent(aurora)
    history.leave(history.queued(aurora, to=history.BIA), Result.FAILED, MessageRejected("131047", "no"))
    history.sent(boreal)
    assert count_all() == 9
    names = ("accepted", "sent", "failed", "delivered")
    assert added_up(aurora, Span.DAY, *names) == [(2, 1, 1, 0)]
    assert added_up(boreal, Span.DAY, *names) == [(1, 1, 0, 0)]
    assert count_all() == 0
    assert added_up(aurora, Span.DAY, *names) == [(2, 1, 1, 0)]


@pytest.mark.django_db(transaction=True)
def test_each_span_has_its_own_sums(aurora: House, message: Message) -> None:
    for minutes, kinds in {0: ["queued", "sent"], 1: ["delivered"], 70: ["read"], 60 * 12: ["received"]}.items():
        happened(message, *kinds, at=NOON + timedelta(minutes=minutes))
        count_all()
    names = ("accepted", "sent", "delivered", "read", "received")
    assert added_up(aurora, Span.MINUTE, *names) == [
        (1, 1, 0, 0, 0), (0, 0, 1, 0, 0), (0, 0, 0, 1, 0), (0, 0, 0, 0, 1)
    ]  # fmt: skip
    assert added_up(aurora, Span.HOUR, *names) == [(1, 1, 1, 0, 0), (0, 0, 0, 1, 0), (0, 0, 0, 0, 1)]
    assert added_up(aurora, Span.DAY, *names) == [(1, 1, 1, 1, 0), (0, 0, 0, 0, 1)]
    days = [day.starts_at for day in Traffic.across_organizations.filter(span=Span.DAY).order_by("starts_at")]
    assert days == [datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 3, tzinfo=UTC)]


@pytest.mark.django_db(transaction=True)
def test_what_ended_without_being_sent_and_other_attempts_are_told_apart(aurora: House, message: Message) -> None:
    happened(message, "cancelled", "expired", "retrying", "retrying", "held", "sending", "replayed", "media")
    count_all()
    assert added_up(aurora, Span.HOUR, "dropped", "retried", "failed") == [(2, 2, 0)]


@pytest.mark.django_db(transaction=True)
def test_latency_is_from_when_it_was_to_leave(aurora: House, message: Message) -> None:
    def sent_after(seconds: float) -> None:
        happened(message, "sent", at=NOON + timedelta(seconds=seconds))

    Message.across_organizations.filter(pk=message.pk).update(created_at=NOON)
    for seconds in (0.05, 0.07, 0.3, 400):
        sent_after(seconds)
    count_all()
    Message.across_organizations.update(created_at=NOON - timedelta(hours=1), scheduled_at=NOON)
    sent_after(0.08)
    count_all()
    (found,) = added_up(aurora, Span.DAY, "latency")
    assert found == ([3, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1],)
    assert [latency.quantile(found[0], share) for share in (0.5, 0.8, 1)] == [0.1, 0.5, float("inf")]
    assert latency.quantile(latency.empty(), 0.5) is None


@pytest.mark.django_db(transaction=True)
def test_more_than_fits_into_a_batch_is_counted(
    aurora: House, message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(count, "AT_ONCE", 2)
    happened(message, *["sent"] * 5)
    assert count_all() == 5
    assert added_up(aurora, Span.MINUTE, "sent") == [(5,)]


@pytest.mark.django_db(transaction=True)
def test_nothing_appears_behind_the_cursor_and_nobody_counts_at_once(aurora: House, message: Message) -> None:
    has_written, may_commit = Event(), Event()

    def write_slowly() -> None:
        try:
            with transaction.atomic():
                happened(message, "delivered")
                has_written.set()
                assert may_commit.wait(10)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(write_slowly)
        assert has_written.wait(10)
        happened(message, "sent")
        # It came later, and may not be counted before what began before it.
        assert count.count_new() == 0
        may_commit.set()
        slow.result(10)
    assert count_all() == 2
    assert added_up(aurora, Span.DAY, "sent", "delivered") == [(1, 1)]


@pytest.mark.django_db(transaction=True)
def test_counter_that_dies_has_counted_nothing(aurora: House, message: Message) -> None:
    happened(message, "sent")
    wait_for_others()
    with transaction.atomic():
        assert count.count_batch() == 1
        transaction.set_rollback(True)
    assert count_all() == 1
    assert added_up(aurora, Span.DAY, "sent") == [(1,)]


@pytest.mark.django_db
def test_minutes_and_hours_that_are_old_are_forgotten(
    aurora: House, message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forget, "AT_ONCE", 2)
    for ago in (timedelta(hours=1), timedelta(days=2), timedelta(days=3), timedelta(days=4), timedelta(days=100)):
        for span in Span:
            Traffic.across_organizations.create(
                organization=aurora.organization, account=message.account, span=span,
                starts_at=clock.now() - ago, latency=latency.empty(),
            )  # fmt: skip
    assert forget.forget_old() == 5
    left = Traffic.across_organizations
    assert [left.filter(span=span).count() for span in (Span.MINUTE, Span.HOUR, Span.DAY)] == [1, 4, 5]
