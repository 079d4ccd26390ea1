"""A result is written only by the holder of the lease."""

import pytest

from apps.core.ids import new_id
from apps.messaging.engine.claim import claim
from apps.messaging.engine.outcome import Outcome, Result
from apps.messaging.engine.record import record
from apps.messaging.engine.recover import recover
from apps.messaging.models import Delivery, Message
from tests.messaging.desk import Desk

pytestmark = pytest.mark.django_db(transaction=True)


def test_claim_hides_what_it_took(desk: Desk) -> None:
    desk.accept("Bom dia")
    assert len(claim(desk.account, 10).deliveries) == 1
    assert claim(desk.account, 10).deliveries == []


def test_outcome_of_a_lost_lease_is_not_written(desk: Desk) -> None:
    (message,) = desk.accept("Bom dia")
    taken = claim(desk.account, 10)
    Delivery.across_organizations.update(lease=new_id())  # somebody took it over

    written = record(
        [Outcome(message, taken.deliveries[0].conversation_id, taken.lease, Result.SENT, provider_id="p")]
    )

    assert written.number == 0
    assert desk.status(message) == "sending"
    assert desk.story(message) == ["queued", "sending"]


def test_outcome_is_written_once(desk: Desk) -> None:
    (message,) = desk.accept("Bom dia")
    taken = claim(desk.account, 10)
    outcome = Outcome(message, taken.deliveries[0].conversation_id, taken.lease, Result.SENT, provider_id="p")

    assert record([outcome]).number == 1
    assert record([outcome]).number == 0
    assert desk.story(message) == ["queued", "sending", "sent"]


def test_lease_that_holds_is_left_alone_by_the_sweep(desk: Desk) -> None:
    desk.accept("Bom dia")
    claim(desk.account, 10)
    assert "leases" not in recover()


def test_dead_workers_message_is_taken_over_and_the_dead_cannot_write(desk: Desk) -> None:
    (message,) = desk.accept("Bom dia")
    taken = claim(desk.account, 10)
    desk.let_pass(100)

    assert recover()["leases"] == 1

    assert desk.story(message) == ["queued", "sending", "unknown"]
    outcome = Outcome(message, taken.deliveries[0].conversation_id, taken.lease, Result.SENT)
    assert record([outcome]).number == 0


def test_next_of_the_conversation_goes_only_when_its_head_is_gone(desk: Desk) -> None:
    first, _second = desk.accept("1", "2")
    taken = claim(desk.account, 10)
    conversation = taken.deliveries[0].conversation_id

    record([Outcome(first, conversation, taken.lease, Result.RETRYING, seconds=0)])
    assert [each.text for each in claim(desk.account, 10).deliveries] == ["1"]


def test_sent_by_receipt_is_not_undone_by_a_late_failure(desk: Desk) -> None:
    (message,) = desk.accept("1")
    taken = claim(desk.account, 10)
    Message.across_organizations.filter(pk=message).update(status="delivered")
    record([Outcome(message, taken.deliveries[0].conversation_id, taken.lease, Result.FAILED)])
    assert desk.status(message) == "delivered"
    assert desk.waiting() == 0
