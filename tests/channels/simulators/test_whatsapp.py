"""What a sender sees of WhatsApp: answers, errors and statuses in the shapes that Meta documents."""

import asyncio
import hashlib
import hmac
import logging
from typing import Any
from urllib.parse import urlsplit

import orjson
import pytest
from multidict import CIMultiDict

from apps.channels.callback import Callback, CallbackEvent, Inbound, Receipt, ReceiptStatus
from apps.channels.connectors.whatsapp_cloud import WhatsappCloud
from apps.channels.content import Media, MediaKind
from apps.channels.errors import RecipientRejected
from apps.channels.simulators.whatsapp import envelope
from tests.channels.simulators.stage import ANA, NUMBER, SECRET, TOKEN, Stage, until, whatsapp_body

MESSAGES = f"/whatsapp/v23.0/{NUMBER}/messages"


async def test_message_is_answered_with_the_id_that_its_statuses_name(stage: Stage) -> None:
    answer = await stage.whatsapp("m-1")
    assert answer.status == 200
    message_id = answer.document["messages"][0]["id"]
    assert message_id.startswith("wamid.")
    assert answer.document == {
        "messaging_product": "whatsapp",
        "contacts": [{"input": ANA, "wa_id": ANA}],
        "messages": [{"id": message_id}],
    }

    await until(lambda: len(stage.receiver.statuses) == 3)
    for status, word in zip(stage.receiver.statuses, ("sent", "delivered", "read"), strict=True):
        assert status.pop("timestamp").isdigit()
        assert status == {
            "id": message_id,
            "status": word,
            "recipient_id": ANA,
            "biz_opaque_callback_data": "m-1",
        }


async def test_callback_names_the_number_and_is_signed_over_its_very_bytes(stage: Stage) -> None:
    await stage.whatsapp('ação "1" \u2028')
    await until(lambda: bool(stage.receiver.callbacks))
    callback = stage.receiver.callbacks[0]
    digest = hmac.new(SECRET.encode(), callback.body, hashlib.sha256).hexdigest()
    assert callback.headers["X-Hub-Signature-256"] == f"sha256={digest}"
    assert callback.path == "/hooks/whatsapp_cloud"
    assert callback.document["object"] == "whatsapp_business_account"
    change = callback.document["entry"][0]["changes"][0]
    assert change["field"] == "messages"
    assert change["value"]["metadata"]["phone_number_id"] == NUMBER
    assert change["value"]["statuses"][0]["biz_opaque_callback_data"] == 'ação "1" \u2028'


async def test_ids_never_repeat(stage: Stage) -> None:
    answers = await asyncio.gather(*(stage.whatsapp(f"m-{number}") for number in range(50)))
    assert len({answer.document["messages"][0]["id"] for answer in answers}) == 50


async def test_message_without_an_id_of_ours_is_told_by_that_of_whatsapp(stage: Stage) -> None:
    body = whatsapp_body()
    del body["biz_opaque_callback_data"]
    ids = [(await stage.ask("POST", MESSAGES, body)).document["messages"][0]["id"] for _ in range(2)]
    assert await stage.received(ANA) == ids
    await until(lambda: len(stage.receiver.statuses) == 6)
    assert not any("biz_opaque_callback_data" in status for status in stage.receiver.statuses)


async def test_plus_sign_is_given_back_and_is_no_part_of_the_id(stage: Stage) -> None:
    answer = await stage.whatsapp(to=f"+{ANA}")
    assert answer.document["contacts"] == [{"input": f"+{ANA}", "wa_id": ANA}]


def read(body: bytes) -> list[CallbackEvent]:
    """As our connector understands it."""
    return list(WhatsappCloud("").events_of(Callback("", CIMultiDict(), body)))


async def said(stage: Stage, **values: str) -> tuple[Inbound, dict[str, Any]]:
    """What a person writes: as the connector understands it, and as WhatsApp tells it."""
    document = {"provider": "whatsapp", "account": NUMBER, "from": f"+{ANA}", **values}
    answer = await stage.ask("POST", "/control/say", document)
    callback = stage.receiver.callbacks[-1]
    (inbound,) = read(callback.body)
    assert isinstance(inbound, Inbound)
    assert (inbound.provider_account, inbound.sender, inbound.provider_id) == (
        NUMBER,
        f"+{ANA}",
        answer.document["id"],
    )
    return inbound, callback.document["entry"][0]["changes"][0]["value"]


async def test_person_writes(stage: Stage) -> None:
    inbound, value = await said(stage, text="Oi", name="Ana")
    assert (inbound.text, inbound.sender_name, inbound.media, inbound.answers) == ("Oi", "Ana", None, "")
    assert value.keys() == {"messaging_product", "metadata", "contacts", "messages"}
    assert value["contacts"] == [{"profile": {"name": "Ana"}, "wa_id": ANA, "user_id": f"ZZ.{ANA}"}]
    inbound, _ = await said(stage, text="Esse", reply_to="wamid.ours")
    assert (inbound.text, inbound.answers, inbound.sender_name) == ("Esse", "wamid.ours", ANA)


async def test_person_sends_media(stage: Stage) -> None:
    inbound, _ = await said(stage, text="Veja", media_url="1013859600285441")
    assert (inbound.text, inbound.media) == ("Veja", Media(MediaKind.IMAGE, "1013859600285441", "", "image/jpeg"))
    inbound, _ = await said(stage, media_url="2", media_kind="audio")
    assert (inbound.text, inbound.media) == ("", Media(MediaKind.AUDIO, "2", "", "audio/ogg"))
    inbound, _ = await said(stage, media_url="3", media_kind="hologram")
    assert (inbound.text, inbound.media) == ("[hologram]", None)


async def test_person_touches_a_button(stage: Stage) -> None:
    inbound, _ = await said(stage, text="Sim", button="yes", reply_to="wamid.ours")
    assert (inbound.text, inbound.button, inbound.answers) == ("Sim", "yes", "wamid.ours")
    inbound, _ = await said(stage, button="yes")
    assert (inbound.text, inbound.button) == ("yes", "yes")


async def test_message_that_does_not_arrive_is_said_to_have_failed(stage: Stage) -> None:
    await stage.order({"kind": "undeliverable", "times": 1})
    answer = await stage.whatsapp("m-1")
    await stage.settled()
    assert stage.receiver.words() == ["failed"]
    assert stage.receiver.statuses[0]["biz_opaque_callback_data"] == "m-1"
    (receipt,) = read(stage.receiver.callbacks[0].body)
    assert isinstance(receipt, Receipt)
    assert (receipt.status, receipt.provider_id) == (ReceiptStatus.FAILED, answer.document["messages"][0]["id"])
    assert isinstance(receipt.error, RecipientRejected)
    assert receipt.error.code == "131026"


def test_statuses_and_messages_travel_together() -> None:
    status = b'{"status":"read","timestamp":"1","id":"wamid.ours"}'
    message = {"from": ANA, "id": "wamid.theirs", "timestamp": "1", "type": "text", "text": {"body": "Oi"}}
    written = orjson.dumps({"contact": {"profile": {"name": "Ana"}, "wa_id": ANA}, "message": message})
    body = envelope({NUMBER: [written, status, written], "109000000000002": [status]})
    assert [type(event) for event in read(body)] == [Receipt, Inbound, Inbound, Receipt]
    first, second = orjson.loads(body)["entry"]
    assert len(first["changes"][0]["value"]["contacts"]) == 1
    assert second["changes"][0]["value"].keys() == {"messaging_product", "metadata", "statuses"}


@pytest.mark.parametrize(
    "token", [None, "", "Bearer", "Bearer ", "Bearer invalid", "Bearer invalid-1", "Basic eDp5"]
)
async def test_bad_token_is_refused_as_meta_does(stage: Stage, token: str | None) -> None:
    for method, path in (("POST", MESSAGES), ("GET", f"/whatsapp/v23.0/{NUMBER}")):
        answer = await stage.ask(method, path, whatsapp_body() if method == "POST" else None, token)
        assert answer.status == 401
        error = answer.document["error"]
        assert error.keys() == {"message", "type", "code", "fbtrace_id"}
        assert (error["type"], error["code"]) == ("OAuthException", 190)
    tally = await stage.tally()
    assert (tally["accepted"], tally["refused_by_kind"]) == (0, {"invalid_token": 1})


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"messaging_product": None}, 100),
        ({"messaging_product": "sms"}, 100),
        ({"to": None}, 131008),
        ({"to": ""}, 131008),
        ({"to": 5511988880001}, 100),
        ({"to": "ana"}, 100),
        ({"to": "٥٥١١٩٨٨٨٨٠٠٠١"}, 100),
        ({"to": "1" * 21}, 100),
        ({"to": ["5511988880001"]}, 100),
        ({"type": 7}, 100),
        ({"type": None}, 100),
        ({"type": "image"}, 131008),
        ({"type": "to"}, 100),
        ({"text": None}, 131008),
        ({"text": "hello"}, 100),
        ({"text": {}}, 131008),
        ({"text": {"body": ""}}, 131008),
        ({"text": {"body": ["hello"]}}, 100),
        ({"text": {"body": "a" * 4097}}, 100),
        ({"biz_opaque_callback_data": {"id": "m-1"}}, 100),
        ({"biz_opaque_callback_data": None}, 100),
        ({"biz_opaque_callback_data": "a" * 513}, 100),
    ],
)
async def test_malformed_message_is_refused_and_not_counted(
    stage: Stage, changes: dict[str, Any], code: int
) -> None:
    answer = await stage.ask("POST", MESSAGES, whatsapp_body() | changes)
    assert (answer.status, answer.code) == (400, code)
    tally = await stage.tally()
    assert (tally["requests"], tally["accepted"], tally["refused_by_kind"]) == (1, 0, {"malformed": 1})


HOSTILE = [
    b"",
    b"\x00",
    b"null",
    b"[]",
    b'"whatsapp"',
    b"{",
    b"{}",
    b"\xff\xfe{\x00}\x00",
    b'{"to":"\\ud800"}',
    b'{"messaging_product":NaN}',
    b"[" * 100_000,
    b'{"to":' * 2_000 + b"1" + b"}" * 2_000,
    b'{"messaging_product":"whatsapp","to":1e999}',
    b'{"messaging_product":"whatsapp","to":"5511988880001","type":"location","location":'
    + b'{"a":' * 900
    + b"1"
    + b"}" * 901,
]


@pytest.mark.parametrize("body", HOSTILE, ids=lambda body: repr(body[:24]))
@pytest.mark.parametrize("provider", ["whatsapp", "instagram"])
async def test_hostile_json_is_refused_like_any_other(stage: Stage, provider: str, body: bytes) -> None:
    answer = await stage.ask("POST", f"/{provider}/v23.0/{NUMBER}/messages", body)
    assert (answer.status, answer.code) == (400, 100)


async def test_body_beyond_a_megabyte_is_not_read(stage: Stage) -> None:
    assert (await stage.ask("POST", MESSAGES, bytes(2_000_000))).status == 413
    assert (await stage.tally())["refused_by_kind"] == {"malformed": 1}


async def test_sender_who_hangs_up_in_the_middle_has_sent_nothing(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    address = urlsplit(stage.url)
    _, writer = await asyncio.open_connection(address.hostname, address.port)
    head = f"POST {MESSAGES} HTTP/1.1\r\nHost: x\r\nAuthorization: {TOKEN}\r\nContent-Length: 500\r\n\r\n"
    writer.write(head.encode() + orjson.dumps(whatsapp_body())[:100])
    await writer.drain()
    await stage.tally_when(lambda tally: tally["requests"] == 1)
    writer.transport.abort()
    tally = await stage.tally_when(lambda tally: tally["requests"] == 1 and bool(tally["refused_by_kind"]))
    assert (tally["accepted"], tally["refused_by_kind"]) == (0, {"hung_up": 1})
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


async def test_facts_of_the_number_show_that_the_credentials_are_good(stage: Stage) -> None:
    answer = await stage.ask("GET", f"/whatsapp/v23.0/{NUMBER}?fields=verified_name")
    assert answer.status == 200
    assert answer.document["id"] == NUMBER
    assert answer.document["verified_name"]
    assert (await stage.tally())["requests"] == 0
