"""Files that are handed over to Telegram, within a form."""

from typing import Any

import orjson
import pytest
from aiohttp import web
from aiohttp.web_request import FileField

from apps.channels.connector import Outbound
from apps.channels.connectors.telegram import Telegram
from apps.channels.content import Button, Content, Media, MediaKind
from apps.channels.errors import MessageRejected, OutcomeUnknown, Transient
from tests.cast import CREDENTIALS
from tests.channels.connector_suite import MESSAGE_ID
from tests.channels.given_files import PDF, GivenFile
from tests.channels.loopback_provider import Handler, client, hangs_up, provider
from tests.channels.test_telegram import PERSON, message

ACCEPTED = orjson.dumps({"ok": True, "result": message(56)})


def outbound(given: GivenFile, kind: MediaKind = MediaKind.DOCUMENT, text: str = "", **values: Any) -> Outbound:
    content = Content(text, media=Media(kind, ""), buttons=values.pop("buttons", ()))
    return Outbound(MESSAGE_ID, PERSON, content, CREDENTIALS["telegram"], file=given.outbound(), **values)


def reading(seen: list[dict[str, Any]]) -> Handler:
    async def handler(request: web.Request) -> web.Response:
        form = dict(await request.post())
        files = {name: value for name, value in form.items() if isinstance(value, FileField)}
        told = {name: (file.filename, file.content_type, file.file.read()) for name, file in files.items()}
        seen.append(form | told | {"method": request.path.rpartition("/")[2]})
        return web.Response(body=ACCEPTED)

    return handler


@pytest.mark.parametrize(
    ("kind", "method", "name"),
    [
        (MediaKind.IMAGE, "sendPhoto", "photo"),
        (MediaKind.AUDIO, "sendAudio", "audio"),
        (MediaKind.VIDEO, "sendVideo", "video"),
        (MediaKind.DOCUMENT, "sendDocument", "document"),
    ],
)
async def test_file_goes_by_the_method_of_its_kind(kind: MediaKind, method: str, name: str) -> None:
    seen: list[dict[str, Any]] = []
    async with provider(reading(seen)) as url, client() as http:
        assert await Telegram(url).send(http, outbound(GivenFile(), kind)) == f"{PERSON}:56"
    assert seen == [{"chat_id": PERSON, name: ("conta.pdf", "application/pdf", PDF), "method": method}]


async def test_what_goes_with_it_is_written_into_the_form() -> None:
    seen: list[dict[str, Any]] = []
    wanted = outbound(GivenFile(), text="Olá 🥖", buttons=(Button("yes", "Já paguei"),), answers=f"{PERSON}:40")
    async with provider(reading(seen)) as url, client() as http:
        await Telegram(url).send(http, wanted)
    (form,) = seen
    assert form["caption"] == "Olá 🥖"
    keyboard = [[{"text": "Já paguei", "callback_data": "yes"}]]
    assert orjson.loads(form["reply_markup"]) == {"inline_keyboard": keyboard}
    assert orjson.loads(form["reply_parameters"])["message_id"] == 40


@pytest.mark.parametrize(
    ("given", "arrived"),
    [
        ("conta de março 🥖.pdf", "conta de março 🥖.pdf"),
        ('a"; filename="b', "a'; filename='b"),
        ("a\r\nX-Evil: b", "a  X-Evil: b"),
    ],
)
async def test_name_of_a_file_stays_a_name(given: str, arrived: str) -> None:
    seen: list[dict[str, Any]] = []
    async with provider(reading(seen)) as url, client() as http:
        await Telegram(url).send(http, outbound(GivenFile(name=given)))
    assert seen[0]["document"][0] == arrived


async def test_empty_file_and_one_like_a_form_arrive_as_they_are() -> None:
    for content in (b"", b"--x\r\nContent-Disposition: form-data; name=y\r\n\r\n--x--\r\n"):
        seen: list[dict[str, Any]] = []
        async with provider(reading(seen)) as url, client() as http:
            await Telegram(url).send(http, outbound(GivenFile(content)))
        assert seen[0]["document"][2] == content


async def test_file_that_cannot_be_had_says_why_and_is_closed() -> None:
    given = GivenFile(error=Transient("file_unavailable", "", blames_provider=False))
    seen: list[dict[str, Any]] = []
    async with provider(reading(seen)) as url, client() as http:
        with pytest.raises(Transient) as failed:
            await Telegram(url).send(http, outbound(given))
    assert (failed.value.code, given.is_closed, seen) == ("file_unavailable", True, [])


async def test_refusal_before_the_end_of_the_file_is_understood() -> None:
    async def refuse(_: web.Request) -> web.Response:
        body = b'{"ok": false, "error_code": 413, "description": "Request Entity Too Large"}'
        return web.Response(status=413, body=body)

    given = GivenFile(bytes(30_000_000))
    async with provider(refuse) as url, client() as http:
        with pytest.raises(MessageRejected) as failed:
            await Telegram(url).send(http, outbound(given))
    assert (failed.value.code, given.is_closed) == ("413", True)


async def test_connection_that_breaks_leaves_the_outcome_unknown() -> None:
    async with provider(hangs_up) as url, client() as http:
        with pytest.raises(OutcomeUnknown):
            await Telegram(url).send(http, outbound(GivenFile()))


async def test_file_may_take_longer_than_a_text() -> None:
    seen: list[dict[str, Any]] = []
    async with provider(reading(seen)) as url, client(seconds=0.3) as http:
        await Telegram(url).send(http, outbound(GivenFile(seconds=0.6)))
    assert len(seen) == 1


def test_request_shows_no_secret() -> None:
    request = Telegram("https://provider.example").build_request(outbound(GivenFile()))
    assert CREDENTIALS["telegram"]["bot_token"] not in repr(request)
