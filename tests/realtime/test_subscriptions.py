"""Every client that watches sees every status, in order, once, or is told that it missed something."""

import threading
from typing import Any
from unittest.mock import ANY
from uuid import UUID

import pytest

from apps.accounts.roles import Scope
from apps.core.redis import redis_client
from apps.messaging.engine.accept import accept
from apps.messaging.engine.new_message import NewMessage
from apps.messaging.models import Conversation
from apps.realtime.stream import stream_of
from tests.cast import House, as_member, with_key
from tests.messaging import history
from tests.realtime.socket import greeted
from tests.realtime.tape import Tape
from tests.server import Server

pytestmark = pytest.mark.django_db(transaction=True)


def numbers(frames: list[dict[str, object]]) -> list[object]:
    return [frame["event_id"] for frame in frames]


def test_watcher_sees_every_status_of_its_conversation_in_order(
    server: Server, aurora: House, token: str, ana: str, bia: str, tape: Tape
) -> None:
    with greeted(server, token) as socket:
        answer = socket.subscribe(ana)
        assert (answer["type"], answer["conversation_id"], answer["recovered"]) == ("subscribed", ana, False)
        sent = tape.play(aurora.organization, UUID(ana), "sending", "sent")
        tape.play(aurora.organization, UUID(bia), "sent")
        sent += tape.play(aurora.organization, UUID(ana), "delivered")

        frames = socket.hear_all(3)
        assert numbers(frames) == sent
        assert [frame["status"] for frame in frames] == ["sending", "sent", "delivered"]
        assert frames[0]["type"] == "status"
        assert frames[0]["organization_id"] == str(aurora.organization.id)
        assert {"message_id", "at", "offset", "kind", "attempt"} <= frames[0].keys()
        assert socket.is_quiet


def test_client_that_resumes_gets_what_it_missed_and_nothing_twice(
    server: Server, aurora: House, token: str, ana: str, tape: Tape
) -> None:
    with greeted(server, token) as socket:
        socket.subscribe(ana)
        tape.play(aurora.organization, UUID(ana), "queued", "sending", "sent")
        offset = socket.hear_all(2)[-1]["offset"]
        socket.cut()
    tape.play(aurora.organization, UUID(ana), "delivered")
    with greeted(server, token) as socket:
        answer = socket.subscribe(ana, since=offset)
        assert (answer["recovered"], answer["offset"]) == (True, offset)
        # From the middle of an entry on.
        assert [frame["status"] for frame in socket.hear_all(2)] == ["sent", "delivered"]
        tape.play(aurora.organization, UUID(ana), "read")
        assert socket.hear()["status"] == "read"
        assert socket.is_quiet


def test_resuming_under_fire_neither_misses_nor_doubles(
    server: Server, aurora: House, token: str, ana: str, tape: Tape
) -> None:
    played: list[int] = []
    fires = threading.Event()

    def fire() -> None:
        for n in range(600):
            played.extend(tape.play(aurora.organization, UUID(ana), "sent", "delivered"))
            if n == 100:
                fires.set()

    with greeted(server, token) as socket:
        offset = socket.subscribe(ana)["offset"]
    thread = threading.Thread(target=fire)
    thread.start()
    seen: list[object] = []
    assert fires.wait(20)
    while len(seen) < 1200:
        with greeted(server, token) as socket:
            assert socket.subscribe(ana, since=offset)["recovered"]
            for _ in range(min(130, 1200 - len(seen))):
                frame = socket.hear()
                seen.append(frame["event_id"])
                offset = frame["offset"]
            socket.cut()
    thread.join()
    assert seen == played


def test_offset_that_the_stream_no_longer_holds_is_a_gap(
    server: Server, aurora: House, token: str, ana: str, tape: Tape
) -> None:
    with greeted(server, token) as socket:
        socket.subscribe(ana)
        tape.play_many(aurora.organization, UUID(ana), 3)
        old = socket.hear_all(3)[0]["offset"]
    redis_client().xtrim(stream_of(aurora.organization.id), maxlen=1, approximate=False)
    with greeted(server, token) as socket:
        answer = socket.subscribe(ana, since=old)
        gap = socket.hear()
        assert not answer["recovered"]
        assert (gap["type"], gap["conversation_id"], gap["offset"]) == ("gap", ana, answer["offset"])
        (number,) = tape.play(aurora.organization, UUID(ana))
        assert socket.hear()["event_id"] == number  # it goes on from the gap


def test_whoever_watches_while_redis_is_emptied_is_told_of_a_gap(
    server: Server, aurora: House, token: str, ana: str, tape: Tape
) -> None:
    with greeted(server, token) as watching:
        watching.subscribe(ana)
        tape.play(aurora.organization, UUID(ana))
        before = watching.hear()["offset"]
        redis_client().flushdb()
        gap = watching.hear()
        assert (gap["type"], gap["conversation_id"]) == ("gap", ana)
        (number,) = tape.play(aurora.organization, UUID(ana))
        assert watching.hear()["event_id"] == number
        with greeted(server, token) as late:
            assert not late.subscribe(ana, since=before)["recovered"]
            assert late.hear()["type"] == "gap"
            assert late.is_quiet
        assert watching.subscribe(ana, since=gap["offset"])["recovered"]
        assert watching.hear()["event_id"] == number


def test_batch_that_comes_again_is_recognized(server: Server, aurora: House, token: str, ana: str) -> None:
    first, second = Tape(), Tape()
    first.play(aurora.organization, UUID(ana), "queued", "sending")
    second.play(aurora.organization, UUID(ana), "queued", "sending", "sent")  # the same two, and one more
    stored: Any = redis_client().xrange(stream_of(aurora.organization.id))
    assert [fields[b"events"].count(b"event_id") for _, fields in stored] == [2, 1]


def test_organization_wide_watcher_sees_all_conversations_and_each_event_once(
    server: Server, aurora: House, boreal: House, token: str, ana: str, bia: str, tape: Tape
) -> None:
    elsewhere = history.conversation(boreal)
    with greeted(server, token) as socket:
        assert socket.subscribe_to_all() == {
            "type": "subscribed", "scope": "organization", "recovered": False, "offset": ANY,
        }  # fmt: skip
        socket.subscribe(ana)
        played = tape.play(aurora.organization, UUID(ana))
        tape.play(boreal.organization, elsewhere.id)
        played += tape.play(aurora.organization, UUID(bia))
        assert numbers(socket.hear_all(2)) == played
        assert socket.is_quiet
        assert socket.ask(action="unsubscribe", scope="organization")["type"] == "unsubscribed"
        tape.play(aurora.organization, UUID(bia))
        (last,) = tape.play(aurora.organization, UUID(ana))
        assert socket.hear()["event_id"] == last


def test_pong_tells_how_far_everything_was_handed_over(
    server: Server, aurora: House, token: str, ana: str, bia: str, tape: Tape
) -> None:
    with greeted(server, token) as socket:
        socket.subscribe(ana)
        tape.play_many(aurora.organization, UUID(bia), 3)
        tape.play(aurora.organization, UUID(ana))
        socket.hear()
        offset = socket.ask(action="ping")["offset"]
    redis_client().xtrim(stream_of(aurora.organization.id), maxlen=1, approximate=False)
    with greeted(server, token) as socket:
        assert socket.subscribe(ana, since=offset)["recovered"]
        assert socket.is_quiet


def test_inbound_message_comes_as_a_message(
    server: Server, aurora: House, token: str, ana: str, tape: Tape
) -> None:
    with greeted(server, token) as socket:
        socket.subscribe(ana)
        tape.play(aurora.organization, UUID(ana), type="message", text="Bom dia")
        frame = socket.hear()
        assert (frame["type"], frame["text"]) == ("message", "Bom dia")


def test_unsubscribed_conversation_is_silent(
    server: Server, aurora: House, token: str, ana: str, tape: Tape
) -> None:
    with greeted(server, token) as socket:
        socket.subscribe(ana)
        said = socket.ask(action="unsubscribe", conversation_id=ana)
        assert said == {"type": "unsubscribed", "conversation_id": ana}
        tape.play(aurora.organization, UUID(ana))
        assert socket.is_quiet


def test_conversation_of_a_stranger_does_not_exist(
    server: Server, aurora: House, boreal: House, token: str, tape: Tape
) -> None:
    theirs = history.conversation(boreal)
    with greeted(server, token) as socket:
        said = socket.subscribe(theirs.id)
        assert (said["type"], said["code"], said["conversation_id"]) == ("error", "not_found", str(theirs.id))
        unknown = socket.subscribe("018f0000-0000-7000-8000-000000000000")
        assert str(said).replace(str(theirs.id), "") == str(unknown).replace(unknown["conversation_id"], "")
        tape.play(boreal.organization, theirs.id)
        assert socket.is_quiet


def test_key_without_the_scope_sees_nothing(server: Server, aurora: House, ana: str, tape: Tape) -> None:
    key = with_key(aurora.organization, Scope.CHANNELS_READ).credential
    with greeted(server, key) as socket:
        assert socket.subscribe(ana)["code"] == "missing_scope"
        assert socket.subscribe_to_all()["code"] == "missing_scope"


def test_thousand_subscriptions_at_once_are_enough(server: Server, aurora: House, token: str, tape: Tape) -> None:
    account = history.account_of(aurora)
    wanted = [NewMessage("Olá", account.id, f"+55119{n:08}") for n in range(10_000_000, 10_001_001)]
    accept(aurora.organization, wanted[:1000])
    accept(aurora.organization, wanted[1000:])
    ids = list(Conversation.across_organizations.order_by("id").values_list("id", flat=True))
    with greeted(server, token) as socket:
        for conversation_id in ids:
            socket.say(action="subscribe", conversation_id=str(conversation_id))
        answers = socket.hear_all(len(ids))
        assert [answer["type"] for answer in answers[:1000]] == ["subscribed"] * 1000
        assert answers[1000]["code"] == "too_many_subscriptions"
        played = tape.play(aurora.organization, ids[0]) + tape.play(aurora.organization, ids[999])
        tape.play(aurora.organization, ids[1000])
        assert numbers(socket.hear_all(2)) == played
        assert socket.is_quiet


def test_reader_of_batches_gets_what_waits_together(
    server: Server, aurora: House, token: str, ana: str, tape: Tape
) -> None:
    with greeted(server, token, query="?batch=1") as socket:
        offset = socket.subscribe(ana)["offset"]
        socket.ask(action="unsubscribe", conversation_id=ana)
        played = tape.play(aurora.organization, UUID(ana), "queued", "sending", "sent")
        assert socket.subscribe(ana, since=offset)["recovered"]
        batch = socket.hear()
        assert batch["type"] == "batch"
        assert numbers(batch["events"]) == played


def test_members_of_one_organization_see_the_same(server: Server, aurora: House, ana: str, tape: Tape) -> None:
    owner, viewer = (as_member(member).credential for member in (aurora.owner, aurora.viewer))
    with greeted(server, owner) as one, greeted(server, viewer) as other:
        one.subscribe(ana)
        other.subscribe(ana)
        (number,) = tape.play(aurora.organization, UUID(ana))
        assert one.hear()["event_id"] == other.hear()["event_id"] == number


def test_burst_that_is_longer_than_a_line_comes_whole_and_in_order(
    server: Server, aurora: House, token: str, ana: str, tape: Tape
) -> None:
    with greeted(server, token) as socket:
        socket.subscribe(ana)
        played = tape.play(aurora.organization, UUID(ana), *["sent"] * 2000)
        assert numbers(socket.hear_all(len(played))) == played
        assert socket.is_quiet
