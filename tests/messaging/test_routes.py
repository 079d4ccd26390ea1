"""What comes in here goes on to there, and what became of it is told here."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier, BrokenBarrierError
from typing import Any
from uuid import UUID

import orjson
import pytest
from django.db import connection

from apps.channels.models import ChannelAccount
from apps.messaging.engine.accept import accept
from apps.messaging.engine.receive import receive_batch
from apps.messaging.models import Message, MessageEvent, ProviderCallback, Route
from tests.cast import Api, House, as_member
from tests.messaging.callbacks import hand_over, work_on_callbacks
from tests.messaging.desk import CREDENTIALS, Desk, open_account
from tests.messaging.test_incoming import callback, come_in, said

pytestmark = pytest.mark.django_db(transaction=True)
IG = "1784140000000009"


@pytest.fixture
def instagram(aurora: House, desk: Desk) -> ChannelAccount:
    return open_account(aurora, "instagram")


@pytest.fixture
def route(desk: Desk, instagram: ChannelAccount, owner: Api) -> UUID:
    answer = owner.post("/v1/routes", body(desk, instagram))
    assert answer.status_code == 201, answer.json()
    return UUID(answer.json()["id"])


def body(desk: Desk, instagram: ChannelAccount, **values: Any) -> dict[str, Any]:
    return {
        "name": "To Instagram",
        "source_account_id": str(desk.account.id),
        "target_account_id": str(instagram.id),
        "target_address": IG,
        **values,
    }


def forwards() -> list[Message]:
    return list(Message.across_organizations.filter(forwarded_from_id__isnull=False).order_by("id"))


def test_what_comes_in_goes_on(desk: Desk, instagram: ChannelAccount, route: UUID) -> None:
    come_in(said("Chegou?", "wamid.1"))
    (forward,) = forwards()
    origin = Message.across_organizations.get(direction="inbound")
    assert (forward.account_id, forward.text, forward.forwarded_from_id) == (instagram.id, "Chegou?", origin.id)


def test_status_comes_back(desk: Desk, instagram: ChannelAccount, route: UUID) -> None:
    come_in(said("Chegou?", "wamid.1"))
    own = Desk(desk.organization, instagram, desk.loop)
    own.drain()
    (forward,) = forwards()
    read = {"sender": {"id": "1"}, "recipient": {"id": "2"}, "timestamp": 1, "read": {"mid": forward.provider_id}}
    entry = {"id": CREDENTIALS["instagram"]["instagram_id"], "time": 1, "messaging": [read]}
    hand_over("instagram", orjson.dumps({"object": "instagram", "entry": [entry]}))
    work_on_callbacks()
    told = MessageEvent.across_organizations.filter(message=forward.forwarded_from_id, kind="forwarded")
    assert [event.detail["status"] for event in told.order_by("id")] == ["sent", "read"]
    assert {event.detail["message_id"] for event in told} == {str(forward.id)}


def test_route_that_is_switched_off_takes_nothing_on(desk: Desk, route: UUID, owner: Api) -> None:
    assert owner.patch(f"/v1/routes/{route}", {"is_active": False}).json()["is_active"] is False
    come_in(said("Oi", "wamid.1"))
    assert forwards() == []


def test_route_of_one_conversation_passes_others_over(desk: Desk, instagram: ChannelAccount, owner: Api) -> None:
    come_in(said("Oi", "wamid.1"))
    conversation = Message.across_organizations.get().conversation_id
    answer = owner.post("/v1/routes", body(desk, instagram, source_conversation_id=str(conversation)))
    assert answer.status_code == 201
    come_in(said("Mais", "wamid.2"), said("Outra", "wamid.3", sender="5511912345602"))
    assert [forward.text for forward in forwards()] == ["Mais"]


def test_nothing_goes_back_to_whoever_wrote(desk: Desk, owner: Api) -> None:
    same = body(desk, desk.account, target_address="+5511912345601")
    assert owner.post("/v1/routes", same).status_code == 201
    come_in(said("Oi", "wamid.1"))
    assert forwards() == []


def test_two_machines_that_repeat_each_other_are_stopped(desk: Desk, route: UUID) -> None:
    for n in range(6):
        come_in(said("Olá!", f"wamid.{n}"))
    assert len(forwards()) == 3
    refused = MessageEvent.across_organizations.filter(kind="forwarded", detail__refused="goes_round")
    assert refused.count() == 3


def test_what_the_other_channel_cannot_carry_is_told(desk: Desk, route: UUID) -> None:
    come_in(said("x" * 1500, "wamid.1"))
    assert forwards() == []
    told = MessageEvent.across_organizations.get(kind="forwarded").detail
    assert told["refused"] == "too_long"


def test_strangers_accounts_and_routes_do_not_exist(
    desk: Desk, instagram: ChannelAccount, route: UUID, boreal: House
) -> None:
    theirs = open_account(boreal, "instagram")
    stranger = as_member(boreal.owner)
    assert stranger.get(f"/v1/routes/{route}").status_code == 404
    assert stranger.delete(f"/v1/routes/{route}").status_code == 404
    wanted = body(desk, instagram, source_account_id=str(theirs.id))
    refused = stranger.post("/v1/routes", wanted).json()
    assert (refused["errors"][0]["pointer"], refused["errors"][0]["code"]) == ("/target_account_id", "not_found")


@pytest.mark.parametrize(
    ("values", "pointer", "code"),
    [
        ({"target_address": "not one!"}, "/target_address", "bad_address"),
        ({"source_conversation_id": str(UUID(int=7))}, "/source_conversation_id", "not_found"),
        ({"name": ""}, "/name", "blank"),
    ],
)
def test_route_that_is_none_is_refused(
    desk: Desk, instagram: ChannelAccount, owner: Api, values: dict[str, Any], pointer: str, code: str
) -> None:
    errors = owner.post("/v1/routes", body(desk, instagram, **values)).json()["errors"]
    assert [(error["pointer"], error["code"]) for error in errors] == [(pointer, code)]


def test_route_is_removed_and_its_name_is_free_again(
    desk: Desk, instagram: ChannelAccount, route: UUID, owner: Api
) -> None:
    assert owner.post("/v1/routes", body(desk, instagram)).status_code == 409
    assert owner.delete(f"/v1/routes/{route}").status_code == 204
    assert owner.post("/v1/routes", body(desk, instagram)).status_code == 201
    assert Route.across_organizations.count() == 1


def test_routes_that_lead_to_each_other_lose_nothing_when_both_sides_write_at_once(
    desk: Desk, instagram: ChannelAccount, route: UUID, owner: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    back = body(
        desk, instagram, name="Back", source_account_id=str(instagram.id), target_account_id=str(desk.account.id),
        target_address="+5511912345601",
    )  # fmt: skip
    assert owner.post("/v1/routes", back).status_code == 201
    come_in(said("Oi", "wamid.1"))
    hand_over("instagram", of_instagram("Hallo", "mid.1"))
    work_on_callbacks()
    # Each side in a lane of its own, and each in its own conversation before it turns to the other's.
    both_write = Barrier(2)

    def accept_together(*wanted: Any) -> Any:
        with suppress(BrokenBarrierError):
            both_write.wait(5)
        both_write.abort()
        return accept(*wanted)

    monkeypatch.setattr("apps.messaging.engine.forward.accept", accept_together)
    hand_over("whatsapp_cloud", callback(said("Chegou?", "wamid.2")))
    hand_over("instagram", of_instagram("Angekommen?", "mid.2"))
    for lane, account in enumerate((desk.account, instagram)):
        ProviderCallback.objects.filter(account_id=account.id).update(lane=lane)
    with ThreadPoolExecutor(2) as workers:
        assert list(workers.map(_receive_and_leave, (0, 1))) == [1, 1]
    assert sorted(each.text for each in forwards()) == ["Angekommen?", "Chegou?", "Hallo", "Oi"]


def _receive_and_leave(lane: int) -> int:
    try:
        return receive_batch(lane)
    finally:
        connection.close()


def of_instagram(text: str, mid: str) -> bytes:
    wrote = {"sender": {"id": IG}, "recipient": {"id": "2"}, "timestamp": 1, "message": {"mid": mid, "text": text}}
    entry = {"id": CREDENTIALS["instagram"]["instagram_id"], "time": 1, "messaging": [wrote]}
    return orjson.dumps({"object": "instagram", "entry": [entry]})
