"""Where each provider says that a file lies, and what it says where there is none."""

from base64 import b64encode
from typing import Any

import orjson
import pytest
from aiohttp import web

from apps.channels.connector import MOST_WHOLE_BYTES, MediaSource
from apps.channels.content import Media, MediaKind
from apps.channels.errors import AccountRejected, MessageRejected, SendFailed, Transient
from apps.channels.registry import NAMES, connector_class
from apps.core.guarded_http import GuardedClient
from tests.cast import CREDENTIALS
from tests.channels.loopback_provider import LOOPBACK, Handler, provider, says

WHATSAPP, TELEGRAM, EVOLUTION, SMS, INSTAGRAM = "whatsapp_cloud", "telegram", "evolution", "sms", "instagram"


async def locate(name: str, handler: Handler, reference: str = "77") -> MediaSource:
    """Of media with this reference, which for SMS is below the provider's own address."""
    async with provider(handler) as url, GuardedClient(LOOPBACK, 5, 32 * 1024 * 1024, allow_http=True) as client:
        credentials = CREDENTIALS[name] | ({"server_url": url} if name == EVOLUTION else {})
        media = Media(MediaKind.IMAGE, f"{url}/{reference}" if name == SMS else reference)
        return await connector_class(name)(url).locate_media(client, credentials, media, "id")


async def why_not(name: str, handler: Handler) -> SendFailed:
    with pytest.raises(SendFailed) as failed:
        await locate(name, handler)
    secrets = [value for value in CREDENTIALS[name].values() if len(value) > 20]
    assert not any(secret in f"{failed.value.code} {failed.value.detail}" for secret in secrets)
    return failed.value


def told(document: object, status: int = 200) -> Handler:
    return says(status, orjson.dumps(document))


async def test_whatsapp_is_asked_by_id_with_the_token() -> None:
    asked: list[web.Request] = []

    async def handler(request: web.Request) -> web.Response:
        asked.append(request)
        return web.json_response({"url": "https://look.example/a?b", "mime_type": "image/png", "file_size": 9})

    source = await locate(WHATSAPP, handler, "../7/7")
    (request,) = asked
    bearer = f"Bearer {CREDENTIALS[WHATSAPP]['access_token']}"
    assert (request.method, request.raw_path, request.headers["Authorization"]) == (
        "GET",
        "/v1/..%2F7%2F7",
        bearer,
    )
    assert source == MediaSource("https://look.example/a?b", {"Authorization": bearer}, 9, "image/png")
    assert bearer not in repr(source)


@pytest.mark.parametrize("size", ["9", -1, None, 1.5])
async def test_size_that_is_none_is_not_believed(size: object) -> None:
    source = await locate(WHATSAPP, told({"url": "https://look.example", "file_size": size}))
    assert source.size is None


async def test_telegram_is_asked_for_a_path() -> None:
    source = await locate(TELEGRAM, told({"ok": True, "result": {"file_path": "photos/a b.jpg", "file_size": 7}}))
    assert source.url.endswith(f"/v1/file/bot{CREDENTIALS[TELEGRAM]['bot_token']}/photos/a%20b.jpg")
    assert (source.size, dict(source.headers), source.content) == (7, {}, None)
    assert CREDENTIALS[TELEGRAM]["bot_token"] not in repr(source)


async def test_instagrams_links_are_asked_as_they_are() -> None:
    source = await locate(INSTAGRAM, says(500, b""), "https://cdn.example/a?signed")
    assert source == MediaSource("https://cdn.example/a?signed")


async def test_evolution_answers_with_the_file() -> None:
    asked: list[Any] = []

    async def handler(request: web.Request) -> web.Response:
        asked.append((request.path, request.headers["apikey"], await request.json()))
        return web.json_response({"base64": b64encode(b"hi").decode(), "mimetype": "audio/ogg"}, status=201)

    assert await locate(EVOLUTION, handler, "3A5F") == MediaSource(content=b"hi", media_type="audio/ogg")
    path = "/v1/chat/getBase64FromMediaMessage/padaria-aurora"
    assert asked == [(path, CREDENTIALS[EVOLUTION]["api_key"], {"message": {"key": {"id": "3A5F"}}})]


async def test_evolution_that_keeps_files_tells_where() -> None:
    source = await locate(EVOLUTION, says(500, b""), "https://files.example/a")
    assert source == MediaSource("https://files.example/a")


@pytest.mark.parametrize("size", [MOST_WHOLE_BYTES + 1, 30 * 1024 * 1024])
async def test_evolution_is_asked_for_no_more_than_is_held_in_memory(size: int) -> None:
    failed = await why_not(EVOLUTION, told({"base64": b64encode(bytes(size)).decode()}))
    assert isinstance(failed, MessageRejected)
    assert failed.code == "too_large"


async def test_largest_file_that_evolution_answers_with_is_taken() -> None:
    content = bytes(MOST_WHOLE_BYTES)
    source = await locate(EVOLUTION, told({"base64": b64encode(content).decode()}))
    assert source.content == content


@pytest.mark.parametrize(
    ("name", "handler", "error", "code"),
    [
        (WHATSAPP, told({"error": {"code": 100, "error_subcode": 33, "message": "No."}}, 400),
         MessageRejected, "gone"),
        (WHATSAPP, told({"error": {"code": 190, "message": "No."}}, 401), AccountRejected, "190"),
        (WHATSAPP, told({"error": {"code": 2, "message": "No."}}, 500), Transient, "2"),
        (WHATSAPP, told({"id": "77"}), MessageRejected, "gone"),
        (WHATSAPP, says(200, b"<html>"), Transient, "unreadable"),
        (TELEGRAM, told({"ok": False, "error_code": 400, "description": "Bad Request: file is too big"}, 400),
         MessageRejected, "400"),
        (TELEGRAM, told({"ok": False, "error_code": 404, "description": "Not Found"}, 404),
         AccountRejected, "404"),
        (TELEGRAM, told({"ok": True, "result": {}}), Transient, "unreadable"),
        (TELEGRAM, says(200, b"<html>"), Transient, "unreadable"),
        (TELEGRAM, says(502, b""), Transient, "502"),
        (EVOLUTION, told({"response": {"message": ["Message not found"]}}, 400), MessageRejected, "400"),
        (EVOLUTION, told({"base64": "not base64!"}), MessageRejected, "unreadable"),
        (EVOLUTION, told({"base64": None}), Transient, "unreadable"),
        (EVOLUTION, told([]), Transient, "unreadable"),
        (EVOLUTION, says(401, b""), AccountRejected, "401"),
        (SMS, told({"code": 20404, "message": "No."}, 404), MessageRejected, "gone"),
        (SMS, told({"code": 20003, "message": "No."}, 401), AccountRejected, "20003"),
        (SMS, says(503, b""), Transient, "503"),
        (SMS, says(302, b""), MessageRejected, "302"),
    ],
)  # fmt: skip
async def test_refusal_is_told_apart(name: str, handler: Handler, error: type[SendFailed], code: str) -> None:
    failed = await why_not(name, handler)
    assert (type(failed), failed.code) == (error, code)


@pytest.mark.parametrize("name", [name for name in NAMES if not connector_class(name).capabilities.hears_replies])
async def test_channel_on_which_nobody_writes_hands_out_nothing(name: str) -> None:
    assert (await why_not(name, says(200, b""))).code == "not_handed_out"


@pytest.mark.parametrize("name", [name for name in NAMES if connector_class(name).capabilities.hears_replies])
async def test_provider_that_cannot_be_reached_may_be_later(name: str) -> None:
    if name == INSTAGRAM:
        return  # it is not asked

    async def hangs_up(request: web.Request) -> web.Response:
        assert request.transport
        request.transport.abort()
        return web.Response()

    assert not isinstance(await why_not(name, hangs_up), MessageRejected)
