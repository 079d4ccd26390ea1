"""What simulated people send lies on a shelf, and is handed out as its provider does: to whoever may have it."""

import secrets
from io import BytesIO
from typing import Any

import pytest

from apps.channels.simulators import shelf as shelf_module
from apps.channels.simulators.shelf import Shelf
from tests.channels.simulators.stage import NUMBER, TOKEN, Stage

CONTENT = bytes(range(100))


async def hold(stage: Stage, content: bytes = CONTENT, media_type: str = "image/png", name: str = "a.png") -> str:
    path = f"{stage.url}/control/media?name={name}"
    async with stage.session.post(path, data=BytesIO(content), headers={"Content-Type": media_type}) as answer:
        assert answer.status == 201
        return str((await answer.json())["media"])


async def say(stage: Stage, **said: str) -> Any:
    body = {"provider": "whatsapp", "account": NUMBER, "from": "5511988880001"} | said
    return await stage.ask("POST", "/control/say", body)


async def part(stage: Stage, url: str, **headers: str) -> tuple[int, bytes, str]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with stage.session.get(url, headers={"Authorization": TOKEN} | named) as answer:
        return answer.status, await answer.read(), answer.headers.get("Content-Range", "")


async def where(stage: Stage, media: str) -> Any:
    return (await stage.ask("GET", f"/whatsapp/v23.0/{media}")).document


async def test_what_a_person_sends_is_told_with_its_id(stage: Stage) -> None:
    media = await hold(stage, media_type="application/pdf", name="conta.pdf")
    assert (await say(stage, media=media, text="Segue")).status == 202
    (callback,) = stage.receiver.callbacks
    (message,) = callback.document["entry"][0]["changes"][0]["value"]["messages"]
    assert message["type"] == "document"
    said = message["document"]
    assert (said["id"], said["mime_type"], said["caption"]) == (media, "application/pdf", "Segue")
    assert said["filename"] == "conta.pdf"


async def test_file_is_handed_out_in_ranges(stage: Stage) -> None:
    told = await where(stage, await hold(stage))
    assert (told["file_size"], told["mime_type"]) == (100, "image/png")
    url = told["url"]
    assert await part(stage, url) == (200, CONTENT, "")
    assert await part(stage, url, Range="bytes=0-9") == (206, CONTENT[:10], "bytes 0-9/100")
    assert await part(stage, url, Range="bytes=90-500") == (206, CONTENT[90:], "bytes 90-99/100")
    assert await part(stage, url, Range="bytes=100-110") == (416, b"", "bytes */100")
    assert (await part(stage, url, Range="bytes=x"))[0] == 400


async def test_stranger_gets_nothing(stage: Stage) -> None:
    media = await hold(stage)
    told = await where(stage, media)
    assert (await stage.ask("GET", f"/whatsapp/v23.0/{media}", token=None)).code == 190
    assert (await part(stage, told["url"], Authorization="Bearer invalid"))[0] == 401


async def test_file_that_is_lost_is_gone_everywhere(stage: Stage) -> None:
    media = await hold(stage)
    url = (await where(stage, media))["url"]
    assert (await stage.ask("DELETE", f"/control/media/{media}")).status == 204
    assert (await where(stage, media))["error"]["error_subcode"] == 33
    assert (await part(stage, url))[0] == 404
    assert (await say(stage, media=media)).status == 400


async def test_large_file_is_held(stage: Stage) -> None:
    """Larger than anything else that is posted here."""
    content = secrets.token_bytes(3 * 1024 * 1024)
    told = await where(stage, await hold(stage, content))
    assert (await part(stage, told["url"]))[1] == content


async def test_twilio_hands_out_signed_links_to_whoever_knows_the_account(stage: Stage) -> None:
    media = await hold(stage)
    await say(stage, provider="twilio", account="AC1", media=media)
    path = f"{stage.url}/twilio/2010-04-01/Accounts/AC1/Media/{media}"
    assert (await part(stage, path))[0] == 401
    login = {"Authorization": "Basic QUMxOnRva2Vu"}
    async with stage.session.get(path, headers=login, allow_redirects=False) as answer:
        assert answer.status == 307
        signed = stage.url + answer.headers["Location"]
    async with stage.session.get(signed) as answer:
        assert await answer.read() == CONTENT
    assert (await part(stage, signed))[0] == 400, "it takes no second way to log in"


def test_oldest_goes_where_too_much_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf_module, "MOST_BYTES", 250)
    shelf = Shelf()
    ids = [shelf.put(CONTENT, "image/png", "").id for _ in range(3)]
    assert [shelf.get(each) is not None for each in ids] == [False, True, True]
    shelf.drop("unknown")


async def test_nobody_sends_what_is_not_held(stage: Stage) -> None:
    answer = await say(stage, media="none")
    assert answer.status == 400
    assert answer.document == {"error": "media is the id of a file that is held here"}
