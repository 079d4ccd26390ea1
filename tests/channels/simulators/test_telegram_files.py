"""Files that are uploaded to the simulated Telegram: remembered by what was in them, and refused as it does."""

import hashlib
from io import BytesIO
from typing import Any

import aiohttp
import pytest

from tests.channels.simulators.stage import Answer, Stage
from tests.channels.simulators.test_telegram import ANA, BOT, OURS, call, send

MEGABYTE = 1024 * 1024


async def upload(
    stage: Stage, method: str = "sendDocument", name: str = "document", content: bytes = b"bread", **fields: str
) -> Answer:
    form = aiohttp.FormData({"chat_id": ANA} | fields, quote_fields=False)
    form.add_field(name, BytesIO(content), filename="pão.pdf", content_type="application/pdf")
    return await post(stage, form, method)


async def post(stage: Stage, body: Any, method: str = "sendDocument", **options: Any) -> Answer:
    address = f"{stage.url}/telegram/bot{OURS['bot_token']}/{method}"
    async with stage.session.post(address, data=body, **options) as answer:
        return Answer(answer.status, dict(answer.headers), await answer.json())


async def kept(stage: Stage) -> Any:
    return (await stage.ask("GET", "/control/uploads")).document


async def test_upload_is_answered_and_remembered_by_what_is_in_it(stage: Stage) -> None:
    content = bytes(range(256)) * 40_000
    answer = await upload(stage, content=content, caption="Pão", reply_parameters='{"message_id": 7}')
    assert answer.status == 200, answer.document
    result = answer.document["result"]
    assert (result["caption"], result["reply_to_message"]["message_id"]) == ("Pão", 7)
    assert result["document"]["file_id"]
    assert await kept(stage) == [
        {
            "provider": "telegram",
            "account": BOT,
            "to": ANA,
            "name": "pão.pdf",
            "media_type": "application/pdf",
            "size": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
        }
    ]
    tally = await stage.tally()
    assert (tally["requests"], tally["accepted"]) == (1, 1)
    await stage.ask("DELETE", "/control/tally")
    assert await kept(stage) == []


async def test_form_without_a_file_is_a_message_like_any_other(stage: Stage) -> None:
    form = aiohttp.FormData({"chat_id": ANA, "text": "Oi!"}, default_to_multipart=True)
    answer = await post(stage, form, "sendMessage")
    assert (answer.status, answer.document["result"]["text"]) == (200, "Oi!")


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        (
            {"method": "sendPhoto", "name": "photo", "content": bytes(10 * MEGABYTE + 1)},
            400,
            "too big for a photo",
        ),
        ({"content": bytes(50 * MEGABYTE + 1)}, 413, "Request Entity Too Large"),
        ({"content": b""}, 400, "file must be non-empty"),
        ({"name": "photo"}, 400, "there is no document in the request"),
        ({"name": "photo", "document": "conta.pdf"}, 400, "wrong file identifier/HTTP URL specified"),
        ({"caption": "x" * 1025}, 400, "message caption is too long"),
        ({"caption": "x" * 70_000}, 400, "can't parse the form"),
        ({"chat_id": "ana"}, 400, "chat not found"),
    ],
    ids=range(8),
)
async def test_upload_that_cannot_be_is_refused_with_telegrams_reason(
    stage: Stage, changes: dict[str, Any], status: int, words: str
) -> None:
    answer = await upload(stage, **changes)
    assert answer.status == answer.document["error_code"] == status
    assert words in answer.document["description"]
    assert (await stage.tally())["refused_by_kind"] == {"malformed": 1}
    assert await kept(stage) == []


async def test_photo_may_be_as_large_as_telegram_takes_it(stage: Stage) -> None:
    assert (await upload(stage, "sendPhoto", "photo", bytes(10 * MEGABYTE))).status == 200


@pytest.mark.parametrize("body", [b"", b"--x", b"--x\r\n", b"--x\r\n\r\nno name\r\n--x--", b"--y--"])
async def test_form_that_is_none_is_refused(stage: Stage, body: bytes) -> None:
    answer = await post(stage, body, headers={"Content-Type": "multipart/form-data; boundary=x"})
    assert answer.status == 400


async def test_upload_under_a_bad_token_is_refused(stage: Stage) -> None:
    form = aiohttp.FormData({"chat_id": ANA})
    form.add_field("document", BytesIO(bytes(5 * MEGABYTE)), filename="a")
    address = f"{stage.url}/telegram/botinvalid/sendDocument"
    async with stage.session.post(address, data=form) as answer:
        assert answer.status == 401


async def test_fault_strikes_uploads_too(stage: Stage) -> None:
    await stage.order({"kind": "blocked", "provider": "telegram", "times": 1})
    assert (await upload(stage)).status == 403
    assert (await upload(stage)).status == 200
    assert (await send(stage)).status == 200
    assert (await call(stage, "getMe")).status == 200
