from uuid import UUID

import pytest

from apps.core.ids import new_id
from apps.messaging.engine.cancel import cancel
from apps.messaging.engine.claim import claim
from apps.messaging.engine.replay import discard, replay
from apps.messaging.models import DeadLetter, Message
from tests.cast import House
from tests.messaging.desk import ANA, Desk
from tests.messaging.provider import Provider

pytestmark = pytest.mark.django_db(transaction=True)


def cancel_one(desk: Desk, message_id: UUID | str) -> bool:
    message = Message.across_organizations.get(pk=message_id)
    return cancel(desk.organization, message.conversation_id, message.id)


def test_cancelled_message_is_not_sent_and_the_next_goes(desk: Desk, provider: Provider) -> None:
    first, second = desk.accept("1", "2")
    assert cancel_one(desk, first)
    desk.drain()
    assert desk.statuses([first, second]) == ["cancelled", "sent"]
    assert desk.story(first) == ["queued", "cancelled"]
    assert provider.received_by(ANA) == [str(second)]


def test_what_left_or_is_leaving_cannot_be_cancelled(desk: Desk) -> None:
    leaving, waiting = desk.accept("1", "2")
    claim(desk.account, 1)
    assert not cancel_one(desk, leaving)
    assert cancel_one(desk, waiting)
    assert not cancel_one(desk, waiting)


def dead_letter(desk: Desk, provider: Provider) -> DeadLetter:
    provider.break_with({"kind": "blocked", "times": 1})
    desk.accept("1")
    desk.drain()
    return DeadLetter.across_organizations.get()


def test_replay_is_a_new_attempt(desk: Desk, provider: Provider) -> None:
    letter = dead_letter(desk, provider)

    assert replay(desk.organization, [letter.id]) == [letter.message_id]
    assert replay(desk.organization, [letter.id]) == []  # alive already
    desk.drain()

    letter.refresh_from_db()
    assert (letter.state, letter.replays) == ("resolved", 1)
    assert desk.story(letter.message_id) == ["queued", "sending", "failed", "replayed", "sending", "sent"]


def test_replay_that_fails_again_is_told_from_one_not_tried(desk: Desk, provider: Provider) -> None:
    letter = dead_letter(desk, provider)
    replay(desk.organization, [letter.id])
    provider.break_with({"kind": "blocked", "times": 1})
    desk.drain()

    letter.refresh_from_db()
    assert (letter.state, letter.replays, letter.attempts) == ("open", 1, 2)


def test_replay_takes_its_place_behind_what_waits(desk: Desk, provider: Provider) -> None:
    letter = dead_letter(desk, provider)
    (waiting,) = desk.accept("2")
    replay(desk.organization, [letter.id])
    desk.drain()
    assert provider.received_by(ANA) == [str(waiting), str(letter.message_id)]


def test_discarded_letter_rests(desk: Desk, provider: Provider) -> None:
    letter = dead_letter(desk, provider)
    assert discard(desk.organization, [letter.id], "the person moved") == [letter.id]
    assert replay(desk.organization, [letter.id]) == []
    letter.refresh_from_db()
    assert (letter.state, letter.discard_reason) == ("discarded", "the person moved")


def test_somebody_elses_letters_are_out_of_reach(desk: Desk, boreal: House, provider: Provider) -> None:
    letter = dead_letter(desk, provider)
    assert replay(boreal.organization, [letter.id, new_id()]) == []
    assert discard(boreal.organization, [letter.id], "mine") == []
    assert not cancel(boreal.organization, letter.message.conversation_id, letter.message_id)
