"""What a sender sees of Instagram."""

import hashlib
import hmac
import time
from typing import Any

import orjson
import pytest
from multidict import CIMultiDict

from apps.channels.callback import Callback, Inbound
from apps.channels.connectors.instagram import Instagram
from apps.channels.content import Media, MediaKind
from tests.channels import test_instagram
from tests.channels.simulators.stage import ANA, IG_ID, NUMBER, SECRET, Stage, until

MESSAGES = f"/instagram/v23.0/{IG_ID}/messages"
LINK = "https://files.example/a"
REPLY = {"content_type": "text", "title": "Sim", "payload": "yes"}


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


async def test_attachment_is_known_by_where_it_lies_and_echoed(stage: Stage) -> None:
    content = {"attachment": {"type": "image", "payload": {"url": LINK}}, "quick_replies": [REPLY]}
    for _ in range(2):
        body = {"recipient": {"id": ANA}, "message": content}
        assert (await stage.ask("POST", MESSAGES, body)).status == 200
    assert (await stage.tally())["doubled"] == {f"[image {LINK}] [Sim]": 2}
    await until(lambda: bool(stage.receiver.events))
    echoed = stage.receiver.events[0]["message"]
    assert echoed["attachments"] == [{"type": "image", "payload": {"url": LINK}}]
    assert "text" not in echoed


async def test_quick_replies_are_told_with_the_text(stage: Stage) -> None:
    body = {"recipient": {"id": ANA}, "message": {"text": "Vem?", "quick_replies": [REPLY]}}
    assert (await stage.ask("POST", MESSAGES, body)).status == 200
    assert orjson.loads((await stage.ask("GET", "/control/received")).document)["text"] == "Vem? [Sim]"


async def test_everything_that_the_connector_sends_is_taken(stage: Stage) -> None:
    for _, body in test_instagram.TestInstagram.contents:
        answer = await stage.ask("POST", MESSAGES, body | {"reply_to": {"mid": "theirs"}})
        assert answer.status == 200, answer.document


async def test_message_that_does_not_arrive_is_echoed_and_never_read(stage: Stage) -> None:
    await stage.order({"kind": "undeliverable"})
    await stage.instagram("Oi")
    await stage.settled()
    assert [event["message"]["text"] for event in stage.receiver.events] == ["Oi"]


async def said(stage: Stage, **values: str) -> Inbound:
    """What a person writes, as our connector understands it."""
    document = {"provider": "instagram", "account": IG_ID, "from": ANA, **values}
    answer = await stage.ask("POST", "/control/say", document)
    (inbound,) = Instagram("").events_of(Callback("", CIMultiDict(), stage.receiver.callbacks[-1].body))
    assert isinstance(inbound, Inbound)
    assert (inbound.provider_account, inbound.sender, inbound.provider_id) == (IG_ID, ANA, answer.document["id"])
    return inbound


async def test_person_writes_sends_media_and_touches_a_button(stage: Stage) -> None:
    text = await said(stage, text="Oi", name="Ana", reply_to="ours")
    assert (text.text, text.answers, text.media, text.button) == ("Oi", "ours", None, "")
    image = await said(stage, text="Veja", media_url=LINK)
    assert (image.text, image.media) == ("Veja", Media(MediaKind.IMAGE, LINK))
    document = await said(stage, media_url=LINK, media_kind="document")
    assert (document.text, document.media) == ("", Media(MediaKind.DOCUMENT, LINK))
    story = await said(stage, media_url=LINK, media_kind="story_mention")
    assert (story.text, story.media) == (f"[story_mention] {LINK}", None)
    assert (await said(stage, text="Sim", button="yes")).button == "yes"
    assert (await said(stage, button="yes")).text == "yes"


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
        {"recipient": {"id": ANA}, "message": {"attachment": {"type": "image", "payload": {}}}},
        {"recipient": {"id": ANA}, "message": {"attachment": {"type": "image", "payload": {"url": "a.png"}}}},
        {"recipient": {"id": ANA}, "message": {"attachment": {"type": "file", "payload": {"url": LINK}}}},
        {"recipient": {"id": ANA}, "message": {"text": "Vem?", "quick_replies": []}},
        {"recipient": {"id": ANA}, "message": {"text": "Vem?", "quick_replies": [REPLY] * 14}},
        {"recipient": {"id": ANA}, "message": {"text": "Vem?", "quick_replies": [REPLY | {"title": "x" * 21}]}},
        {"recipient": {"id": ANA}, "message": {"text": "Vem?", "quick_replies": [REPLY | {"title": ""}]}},
        {
            "recipient": {"id": ANA},
            "message": {"text": "Vem?", "quick_replies": [REPLY | {"payload": "x" * 1001}]},
        },
        {"recipient": {"id": ANA}, "message": {"text": "Vem?", "quick_replies": [{"title": "Sim"}]}},
        {"recipient": {"id": ANA}, "message": {"text": "Oi"}, "reply_to": "theirs"},
        {"recipient": {"id": ANA}, "message": {"text": "Oi"}, "reply_to": {"mid": 7}},
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
