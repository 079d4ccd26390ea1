"""What programs see of Telegram: answers and errors in the shapes that it documents, and what people write.

That a client library of others understands it is for test_telegram_client.py.
"""

from typing import Any

import orjson
import pytest

from apps.channels.callback import Callback, Inbound
from apps.channels.connector import Outbound
from apps.channels.connectors.telegram import Telegram
from apps.channels.content import Button, Content, Media, MediaKind
from apps.channels.errors import (
    AccountRejected,
    OutcomeUnknown,
    RateLimited,
    RecipientRejected,
    SendFailed,
    Transient,
)
from tests.channels.connector_suite import MESSAGE_ID
from tests.channels.loopback_provider import client
from tests.channels.simulators.stage import Answer, Stage, playing
from tests.messaging.desk import CREDENTIALS

OURS = CREDENTIALS["telegram"]
BOT = OURS["bot_token"].partition(":")[0]
ANA = "7012345601"
GROUP = "-1001234567890"
PHOTO = "https://files.example/bread.jpg"


async def call(stage: Stage, method: str, body: object = None, token: str = OURS["bot_token"]) -> Answer:
    address, data = f"{stage.url}/telegram/bot{token}/{method}", body
    if isinstance(body, bytes):
        sent = stage.session.post(address, data=body, headers={"Content-Type": "application/json"})
    else:
        sent = stage.session.post(address, json=data)
    async with sent as answer:
        return Answer(answer.status, dict(answer.headers), await answer.json())


async def send(stage: Stage, **body: Any) -> Answer:
    return await call(stage, "sendMessage", {"chat_id": ANA, "text": "Oi!"} | body)


async def say(stage: Stage, **said: Any) -> str:
    body = {"provider": "telegram", "account": BOT, "from": ANA, **said}
    answer = await stage.ask("POST", "/control/say", body)
    assert answer.status == 202, answer.document
    return str(answer.document["id"])


async def listen(stage: Stage) -> None:
    body = {"url": f"{stage.receiver.url}/telegram", "secret_token": OURS["secret_token"]}
    assert (await call(stage, "setWebhook", body)).status == 200


def outbound(content: Content, to: str = ANA, answers: str = "", **credentials: str) -> Outbound:
    return Outbound(MESSAGE_ID, to, content, OURS | credentials, answers)


# What programs send


async def test_message_is_answered_as_it_was_understood(stage: Stage) -> None:
    answer = await send(stage)
    assert answer.status == 200
    result = answer.document["result"]
    number, at = result.pop("message_id"), result.pop("date")
    assert isinstance(number, int)
    assert isinstance(at, int)
    assert answer.document["ok"] is True
    assert result.pop("from")["id"] == int(BOT)
    assert result == {
        "chat": {"id": int(ANA), "type": "private", "first_name": "Person", "last_name": ANA},
        "text": "Oi!",
    }
    assert await stage.received(ANA) == [str(number)]
    assert (await stage.tally())["accepted"] == 1


async def test_number_of_a_message_comes_never_twice_not_even_after_a_restart() -> None:
    numbers = set()
    for _ in range(2):
        async with playing() as stage:
            numbers |= {(await send(stage)).document["result"]["message_id"] for _ in range(3)}
    assert len(numbers) == 6


async def test_nothing_is_told_of_what_becomes_of_a_message(stage: Stage) -> None:
    await listen(stage)
    await stage.order({"kind": "undeliverable", "provider": "telegram"})
    await send(stage)
    assert (await stage.settled())["callbacks"]["posted"] == 0
    assert stage.receiver.callbacks == []


@pytest.mark.parametrize(
    ("method", "changes", "words"),
    [
        ("sendMessage", {"chat_id": None}, "chat_id is empty"),
        ("sendMessage", {"chat_id": True}, "chat_id is empty"),
        ("sendMessage", {"chat_id": "ana"}, "chat not found"),
        ("sendMessage", {"chat_id": 0}, "chat not found"),
        ("sendMessage", {"text": ""}, "message text is empty"),
        ("sendMessage", {"text": {}}, "message text is empty"),
        ("sendMessage", {"text": "x" * 4097}, "message is too long"),
        ("sendMessage", {"reply_markup": {"keyboard": []}}, "object expected as reply markup"),
        ("sendMessage", {"reply_markup": "{"}, "can't parse reply_markup"),
        ("sendMessage", {"reply_markup": {"inline_keyboard": [[{}]]}}, "can't parse inline keyboard button"),
        (
            "sendMessage",
            {"reply_markup": {"inline_keyboard": [[{"text": "Sim", "callback_data": "é" * 33}]]}},
            "BUTTON_DATA_INVALID",
        ),
        ("sendMessage", {"reply_parameters": {"message_id": "x"}}, "message to be replied not found"),
        ("sendPhoto", {}, "there is no photo in the request"),
        ("sendAudio", {"audio": "bread.mp3"}, "wrong file identifier/HTTP URL specified"),
        ("sendDocument", {"document": PHOTO, "caption": "x" * 1025}, "message caption is too long"),
        ("setWebhook", {"url": "ftp://files.example"}, "bad webhook: An HTTPS URL must be provided for webhook"),
        ("setWebhook", {"url": PHOTO, "secret_token": "a b"}, "secret token contains unallowed characters"),
        (
            "answerCallbackQuery",
            {},
            "query is too old and response timeout expired or query ID is invalid",
        ),
    ],
)
async def test_what_cannot_be_is_refused_with_telegrams_reason(
    stage: Stage, method: str, changes: dict[str, Any], words: str
) -> None:
    answer = await call(stage, method, {"chat_id": ANA, "text": "Oi!"} | changes)
    assert answer.status == 400
    assert answer.document == {"ok": False, "error_code": 400, "description": f"Bad Request: {words}"}
    is_send = method.startswith("send")
    assert (await stage.tally())["refused_by_kind"] == ({"malformed": 1} if is_send else {})


@pytest.mark.parametrize("body", [b"null", b"[]", b"{", b"\xff", b"[" * 100_000, b'{"chat_id":1e999}'])
async def test_hostile_json_is_refused_like_any_other(stage: Stage, body: bytes) -> None:
    assert (await call(stage, "sendMessage", body)).status == 400


async def test_request_without_parameters_needs_no_body(stage: Stage) -> None:
    answer = await call(stage, "getMe", b"")
    assert (answer.status, answer.document["result"]["id"]) == (200, int(BOT))


async def test_form_that_is_none_is_refused_like_any_other(stage: Stage) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    address = f"{stage.url}/telegram/bot{OURS['bot_token']}/sendMessage"
    async with stage.session.post(address, data=b"--y", headers=headers) as answer:
        assert answer.status == 400


@pytest.mark.parametrize(
    ("token", "status"),
    [
        ("invalid", 401),
        (f"{BOT}:of-a-bot-that-is-invalid", 401),
        ("invalid:1", 401),
        ("token", 404),
        (f"{BOT}:", 404),
    ],
)
async def test_bad_token_is_refused_as_telegram_does(stage: Stage, token: str, status: int) -> None:
    for method in ("getMe", "sendMessage", "setWebhook"):
        answer = await call(stage, method, {"chat_id": ANA, "text": "Oi!"}, token)
        words = {401: "Unauthorized", 404: "Not Found"}[status]
        assert answer.status == status
        assert answer.document == {"ok": False, "error_code": status, "description": words}
    refused = (await stage.tally())["refused_by_kind"]
    assert refused == {"invalid_token" if status == 401 else "malformed": 1}


async def test_method_that_is_none_is_not_found(stage: Stage) -> None:
    assert (await call(stage, "sendTelegram")).status == 404


async def test_webhook_is_kept_until_it_is_taken_back(stage: Stage) -> None:
    async def url() -> str:
        return str((await call(stage, "getWebhookInfo")).document["result"]["url"])

    assert await url() == ""
    await listen(stage)
    assert await url() == f"{stage.receiver.url}/telegram"
    await stage.order({"kind": "server_error", "provider": "telegram", "times": 1})
    assert (await call(stage, "deleteWebhook")).status == 500
    assert await url() == f"{stage.receiver.url}/telegram"
    assert (await call(stage, "deleteWebhook")).document == {"ok": True, "result": True}
    assert await url() == ""
    await say(stage, text="Oi!")
    assert stage.receiver.callbacks == []
    assert (await stage.tally())["callbacks"]["pending"] == 0


# What people write


async def test_nothing_is_posted_for_a_bot_without_a_webhook(stage: Stage) -> None:
    await say(stage, text="Oi!")
    await listen(stage)
    await say(stage, text="Oi!", account="999")
    assert stage.receiver.callbacks == []
    assert (await stage.tally())["callbacks"]["pending"] == 0


async def test_each_update_comes_alone_with_the_secret_of_its_bot(stage: Stage) -> None:
    await listen(stage)
    ids = [await say(stage, text=f"Oi {n}!", name="Ana Souza") for n in range(3)]
    updates = [callback.document for callback in stage.receiver.callbacks]
    assert [str(update["message"]["message_id"]) for update in updates] == ids
    assert len({update["update_id"] for update in updates}) == 3
    for callback in stage.receiver.callbacks:
        assert callback.headers["X-Telegram-Bot-Api-Secret-Token"] == OURS["secret_token"]


async def test_who_is_no_chat_cannot_write(stage: Stage) -> None:
    body = {"provider": "telegram", "account": BOT, "from": "+5511912345601", "text": "Oi!"}
    answer = await stage.ask("POST", "/control/say", body)
    assert (answer.status, answer.document) == (400, {"error": "from is the number of a chat"})


# Together with our connector


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"text": "Oi!", "name": "Ana Souza"}, {"text": "Oi!", "sender_name": "Ana Souza"}),
        ({"text": "Sim", "reply_to": "40"}, {"text": "Sim", "answers": f"{ANA}:40"}),
        ({"text": "Sim", "reply_to": f"{ANA}:40"}, {"answers": f"{ANA}:40"}),
        ({"text": "Sim", "reply_to": "nothing"}, {"answers": f"{ANA}:0"}),
        (
            {"text": "Sim", "button": "yes", "reply_to": "40"},
            {"text": "Sim", "button": "yes", "answers": f"{ANA}:40"},
        ),
        ({"button": "yes"}, {"text": "yes", "button": "yes"}),
        ({"text": "Oi!", "from": GROUP}, {"sender": GROUP, "sender_name": f"Simulated group {GROUP}"}),
    ],
)
async def test_connector_understands_what_a_person_does(
    stage: Stage, said: dict[str, str], expected: dict[str, str]
) -> None:
    await listen(stage)
    await say(stage, **said)
    (heard,) = heard_by(stage)
    assert {name: getattr(heard, name) for name in expected} == expected


@pytest.mark.parametrize("kind", MediaKind)
async def test_connector_understands_what_a_person_shows(stage: Stage, kind: MediaKind) -> None:
    await listen(stage)
    await say(stage, text="Olha", media_url=PHOTO, media_kind=kind.value)
    await say(stage, media_url=PHOTO, media_kind=kind.value)
    assert [(heard.text, heard.media and heard.media.kind) for heard in heard_by(stage)] == [
        ("Olha", kind),
        ("", kind),
    ]


def heard_by(stage: Stage) -> list[Inbound]:
    connector = Telegram("https://api.telegram.org")
    read: list[Inbound] = []
    for posted in stage.receiver.callbacks:
        callback = Callback("https://recado.example", posted.headers, posted.body)
        assert connector.verify_callback(callback, OURS)
        read += [event for event in connector.events_of(callback) if isinstance(event, Inbound)]
    return read


async def test_connector_is_answered_by_whom_it_told_where_to_call(stage: Stage) -> None:
    connector = Telegram(f"{stage.url}/telegram")
    async with client() as http:
        await connector.check(http, OURS)
        assert await connector.call_back_at(http, OURS, f"{stage.receiver.url}/telegram")
        buttons = (Button("yes", "Sim"),)
        contents = [Content("Oi!"), Content("Vem?", buttons=buttons)]
        contents += [Content("Olha", media=Media(kind, PHOTO), buttons=buttons) for kind in MediaKind]
        sent = [await connector.send(http, outbound(content)) for content in contents]
        await connector.send(http, outbound(Content("Isso!"), answers=sent[0]))
    assert len(set(sent)) == len(contents)
    await say(stage, button="yes", text="Sim", reply_to=sent[1])
    (heard,) = heard_by(stage)
    assert heard.answers == sent[1]
    log = [orjson.loads(line) for line in (await stage.ask("GET", "/control/received")).document.splitlines()]
    assert [entry["text"] for entry in log] == ["Oi!", "Vem?", *[f"{PHOTO}\nOlha"] * 4, "Isso!"]


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("rate_limited", RateLimited),
        ("pair_rate_limited", RateLimited),
        ("server_error", Transient),
        ("blocked", RecipientRejected),
        ("opted_out", RecipientRejected),
        ("invalid_token", AccountRejected),
    ],
)
async def test_connector_understands_every_fault(stage: Stage, kind: str, error: type[SendFailed]) -> None:
    wait = {"retry_after": 7} if "limited" in kind else {}
    await stage.order({"kind": kind, "provider": "telegram", "account": BOT, **wait})
    async with client() as http:
        with pytest.raises(error) as failed:
            await Telegram(f"{stage.url}/telegram").send(http, outbound(Content("Oi!")))
    assert getattr(failed.value, "retry_after", None) == wait.get("retry_after")
    assert (await stage.tally())["accepted"] == 0


async def test_connector_learns_that_its_token_is_bad(stage: Stage) -> None:
    connector = Telegram(f"{stage.url}/telegram")
    async with client() as http:
        for token in (f"{BOT}:of-a-bot-that-is-invalid", "no-token"):
            with pytest.raises(AccountRejected):
                await connector.check(http, OURS | {"bot_token": token})


async def test_message_whose_answer_is_cut_off_is_taken_and_nobody_knows(stage: Stage) -> None:
    await stage.order({"kind": "cut_after", "provider": "telegram"})
    async with client() as http:
        with pytest.raises(OutcomeUnknown):
            await Telegram(f"{stage.url}/telegram").send(http, outbound(Content("Oi!")))
    assert (await stage.tally())["accepted"] == 1
