"""What a sender sees of Instagram."""

import hashlib
import hmac
import time
from typing import Any

import pytest

from tests.channels.simulators.stage import ANA, IG_ID, NUMBER, SECRET, Stage, until

MESSAGES = f"/instagram/v23.0/{IG_ID}/messages"


async def test_message_is_echoed_and_read_and_never_delivered(stage: Stage) -> None:
    began = time.time() * 1000
    answer = await stage.instagram("Olá, Ana")
    assert answer.status == 200
    mid = answer.document["message_id"]
    assert answer.document == {"recipient_id": ANA, "message_id": mid}

    tally = await stage.settled()
    assert tally["callbacks"] == {"posted": 2, "failed": 0, "pending": 0}
    echo, read = stage.receiver.events
    assert began - 1 <= echo.pop("timestamp") <= read.pop("timestamp") <= began + 10_000
    assert echo == {
        "sender": {"id": IG_ID},
        "recipient": {"id": ANA},
        "message": {"mid": mid, "text": "Olá, Ana", "is_echo": True},
    }
    assert read == {"sender": {"id": ANA}, "recipient": {"id": IG_ID}, "read": {"mid": mid}}


async def test_callback_names_the_account_and_is_signed(stage: Stage) -> None:
    await stage.instagram()
    await until(lambda: bool(stage.receiver.callbacks))
    callback = stage.receiver.callbacks[0]
    digest = hmac.new(SECRET.encode(), callback.body, hashlib.sha256).hexdigest()
    assert callback.headers["X-Hub-Signature-256"] == f"sha256={digest}"
    assert callback.path == "/hooks/instagram"
    assert callback.document["object"] == "instagram"
    assert callback.document["entry"][0]["id"] == IG_ID


async def test_same_text_twice_is_the_same_message_twice(stage: Stage) -> None:
    for text in ("one", "two", "one"):
        await stage.instagram(text)
    tally = await stage.tally()
    assert (tally["accepted"], tally["distinct"], tally["doubled"]) == (3, 2, {"one": 2})


async def test_me_is_whom_the_token_was_issued_to(stage: Stage) -> None:
    facts = (await stage.ask("GET", "/instagram/v23.0/me")).document
    assert facts["id"] == facts["user_id"] == "17841400000000777"
    assert facts["username"]
    await stage.instagram(ig_id="me")
    await until(lambda: bool(stage.receiver.callbacks))
    assert stage.receiver.callbacks[0].document["entry"][0]["id"] == "17841400000000777"
    assert (await stage.ask("GET", "/instagram/v23.0/me", token="Bearer opaque")).document["id"].isdigit()


@pytest.mark.parametrize(("method", "path"), [("GET", "/instagram/v23.0/me"), ("POST", MESSAGES)])
async def test_bad_token_is_refused(stage: Stage, method: str, path: str) -> None:
    answer = await stage.ask(method, path, token="Bearer invalid")
    assert (answer.status, answer.code) == (401, 190)


async def test_attachment_is_known_by_its_json(stage: Stage) -> None:
    content = {"attachment": {"type": "image", "payload": {"url": "https://example.com/a.png"}}}
    for _ in range(2):
        body = {"recipient": {"id": ANA}, "message": content}
        assert (await stage.ask("POST", MESSAGES, body)).status == 200
    assert list((await stage.tally())["doubled"].values()) == [2]


@pytest.mark.parametrize(
    "body",
    [
        {"message": {"text": "hello"}},
        {"recipient": ANA, "message": {"text": "hello"}},
        {"recipient": {"id": ""}, "message": {"text": "hello"}},
        {"recipient": {"id": 17}, "message": {"text": "hello"}},
        {"recipient": {"id": ANA}},
        {"recipient": {"id": ANA}, "message": "hello"},
        {"recipient": {"id": ANA}, "message": {}},
        {"recipient": {"id": ANA}, "message": {"text": ""}},
        {"recipient": {"id": ANA}, "message": {"text": 1}},
        {"recipient": {"id": ANA}, "message": {"attachment": "https://example.com/a.png"}},
        {"recipient": {"id": ANA}, "message": {"text": "é" * 501}},
    ],
)
async def test_malformed_message_is_refused_and_not_counted(stage: Stage, body: dict[str, Any]) -> None:
    answer = await stage.ask("POST", MESSAGES, body)
    assert (answer.status, answer.code) == (400, 100)
    tally = await stage.tally()
    assert (tally["accepted"], tally["refused_by_kind"]) == (0, {"malformed": 1})


async def test_thousand_bytes_are_not_too_many(stage: Stage) -> None:
    assert (await stage.instagram("é" * 500)).status == 200


async def test_callbacks_of_one_provider_reach_only_its_own_address(stage: Stage) -> None:
    await stage.instagram("to Instagram")
    await stage.whatsapp("m-1", number=NUMBER)
    await stage.settled()
    assert {callback.path for callback in stage.receiver.callbacks if callback.events} == {"/hooks/instagram"}
    assert {callback.path for callback in stage.receiver.callbacks if callback.statuses} == {
        "/hooks/whatsapp_cloud"
    }
