import socket
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar
from unittest.mock import ANY

import orjson
import pytest
from aiohttp import web

from apps.channels.callback import CallbackEvent, Inbound, Moved
from apps.channels.connector import Outbound
from apps.channels.content import Button, Content, Media, MediaKind
from apps.channels.errors import (
    AccountRejected,
    MessageRejected,
    OutcomeUnknown,
    RateLimited,
    RecipientRejected,
    SendFailed,
    Transient,
)
from apps.core import clock
from tests.cast import CREDENTIALS
from tests.channels.connector_suite import LINK, MESSAGE_ID, TEXT, ConnectorSuite, Refusal
from tests.channels.loopback_provider import answer, client, hangs_up, provider, says

TOKEN = CREDENTIALS["telegram"]["bot_token"]
SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"
PERSON = "7012345678"
GROUP = "-1001234567890"
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
ANA = {"id": int(PERSON), "is_bot": False, "first_name": "Ana", "last_name": "Souza", "language_code": "pt-br"}
PRIVATE = {"id": int(PERSON), "type": "private", "first_name": "Ana", "last_name": "Souza"}
SHOP = {"id": int(GROUP), "type": "supergroup", "title": "Clientes da padaria"}


def refused(
    code: int, words: str, error: type[SendFailed], *, parameters: dict[str, Any] | None = None, **has: Any
) -> Refusal:
    body: dict[str, Any] = {"ok": False, "error_code": code, "description": words}
    if parameters is not None:
        body["parameters"] = parameters
    return Refusal(code, orjson.dumps(body), error, str(code), has | {"detail": words})


def update(**what: Any) -> bytes:
    return orjson.dumps({"update_id": 901, **what})


def message(number: Any = 55, **said: Any) -> dict[str, Any]:
    """A value of None takes away what every message has."""
    told = {"message_id": number, "from": ANA, "chat": PRIVATE, "date": int(AT.timestamp())} | said
    return {name: value for name, value in told.items() if value is not None}


def touch(data: Any = "yes", **changes: Any) -> dict[str, Any]:
    rows = [[{"text": "Site", "url": LINK}], [{"text": "Sim", "callback_data": "yes"}]]
    on = {
        "message_id": 40,
        "chat": PRIVATE,
        "date": 1,
        "text": "Confirma?",
        "reply_markup": {"inline_keyboard": rows},
    }
    query = {"id": "4382", "from": ANA, "message": on, "chat_instance": "-3", "data": data}
    return query | changes


def inbound(text: str = "", **values: Any) -> list[CallbackEvent]:
    known: dict[str, Any] = {"sender": PERSON, "at": AT, "sender_name": "Ana Souza"} | values
    return [Inbound("", f"{known['sender']}:55", text=text, **known)]


def file(file_id: str, **more: Any) -> dict[str, Any]:
    return {"file_id": file_id, "file_unique_id": "u", **more}


CAPTIONED: list[tuple[dict[str, Any], Media]] = [
    (
        {"photo": [file("small", width=90), file("large", width=1280)], "caption": "Olha"},
        Media(MediaKind.IMAGE, "large"),
    ),
    (
        {"audio": file("a", mime_type="audio/mpeg"), "caption": "Olha"},
        Media(MediaKind.AUDIO, "a", "", "audio/mpeg"),
    ),
    ({"voice": file("v", duration=3), "caption": "Olha"}, Media(MediaKind.AUDIO, "v")),
    ({"video": file("w", mime_type="video/mp4"), "caption": "Olha"}, Media(MediaKind.VIDEO, "w", "", "video/mp4")),
    ({"animation": file("g"), "document": file("g"), "caption": "Olha"}, Media(MediaKind.VIDEO, "g")),
    (
        {"document": file("d", file_name="nota.pdf", mime_type="application/pdf"), "caption": "Olha"},
        Media(MediaKind.DOCUMENT, "d", "nota.pdf", "application/pdf"),
    ),
]
SHOWN_AS_TEXT: list[tuple[dict[str, Any], str]] = [
    ({"sticker": file("s", emoji="🥖")}, "🥖"),
    ({"sticker": file("s")}, "[sticker]"),
    ({"location": {"latitude": -23.5, "longitude": -46.6}}, "-23.5, -46.6"),
    (
        {
            "location": {"latitude": -23.5, "longitude": -46.6},
            "venue": {
                "location": {"latitude": -23.5, "longitude": -46.6},
                "title": "Padaria",
                "address": "Rua A, 1",
            },
        },
        "Padaria, Rua A, 1",
    ),
    ({"contact": {"phone_number": "+5511912345601", "first_name": "Bia"}}, "Bia, +5511912345601"),
    ({"poll": {"id": "1", "question": "?"}}, "[poll]"),
    ({"from_the_future": {}}, "[message]"),
]
PASSED_OVER: list[dict[str, Any]] = [
    {"edited_message": message(text="Oi!")},
    {"channel_post": message(text="Oi!", **{"from": None})},
    {"message": message(text="Oi!", **{"from": None})},
    {"message": message(text="Oi!", **{"from": ANA | {"is_bot": True}})},
    {"message": message(text="Oi!", chat=SHOP, is_automatic_forward=True)},
    {"message": message(chat=SHOP, new_chat_members=[ANA])},
    {"message": message(text="Oi!", chat={"id": 0, "type": "private"})},
    {"message": message(None, text="Oi!")},
    {"message": message(migrate_to_chat_id=0)},
    {"callback_query": touch(message=None)},
    {"callback_query": touch(data=None, game_short_name="chess")},
    {"callback_query": touch(data="x" * 256)},
    {"my_chat_member": {}},
    {},
]


class TestTelegram(ConnectorSuite):
    name = "telegram"
    to = PERSON
    provider_id = f"{PERSON}:56"
    accepted = orjson.dumps({"ok": True, "result": message(56, text=TEXT)})
    without_id = [
        b'{"ok": true, "result": true}',
        b'{"ok": true, "result": {}}',
        b'{"ok": true, "result": {"message_id": "5", "chat": {"id": 7}}}',
        b'{"ok": true, "result": {"message_id": 5, "chat": {"id": "7"}}}',
        b'{"ok": true, "result": {"message_id": 5}}',
        b'{"ok": false, "result": {"message_id": 5, "chat": {"id": 7}}}',
    ]
    refusals = [
        refused(
            429, "Too Many Requests: retry after 9", RateLimited, parameters={"retry_after": 9}, retry_after=9
        ),
        refused(429, "Too Many Requests", RateLimited, scope="account"),
        refused(429, "Too Many Requests", RateLimited, parameters={"retry_after": "9"}),
        refused(401, "Unauthorized", AccountRejected),
        refused(404, "Not Found", AccountRejected),
        refused(403, "Forbidden: bot was blocked by the user", RecipientRejected, opted_out=False),
        refused(403, "Forbidden: user is deactivated", RecipientRejected, opted_out=False),
        refused(403, "Forbidden: bot was kicked from the group chat", RecipientRejected),
        refused(400, "Bad Request: chat not found", RecipientRejected),
        refused(400, "Bad Request: PEER_ID_INVALID", RecipientRejected),
        refused(400, "Bad Request: not enough rights to send text messages to the chat", RecipientRejected),
        refused(
            400,
            "Bad Request: group chat was upgraded to a supergroup chat",
            Transient,
            parameters={"migrate_to_chat_id": int(GROUP)},
        ),
        refused(400, "Bad Request: message is too long", MessageRejected),
        refused(400, "Bad Request: BUTTON_DATA_INVALID", MessageRejected),
        refused(413, "Request Entity Too Large", MessageRejected),
        refused(500, "Internal Server Error", Transient),
        refused(502, "Bad Gateway", Transient),
        # Not Telegram's words: it says nothing of whom the message is for.
        Refusal(403, b"<html>", MessageRejected, "403"),
    ]
    contents = [
        (Content(TEXT), {"chat_id": PERSON, "text": TEXT}),
        (
            Content(TEXT, buttons=(Button("yes", "Sim"), Button("no", "Não"))),
            {
                "chat_id": PERSON,
                "text": TEXT,
                "reply_markup": {
                    "inline_keyboard": [
                        [{"text": "Sim", "callback_data": "yes"}],
                        [{"text": "Não", "callback_data": "no"}],
                    ]
                },
            },
        ),
        (
            Content("Olha", media=Media(MediaKind.IMAGE, LINK)),
            {"chat_id": PERSON, "photo": LINK, "caption": "Olha"},
        ),
        (Content(media=Media(MediaKind.AUDIO, LINK)), {"chat_id": PERSON, "audio": LINK}),
        (Content(media=Media(MediaKind.VIDEO, LINK)), {"chat_id": PERSON, "video": LINK}),
        (Content(media=Media(MediaKind.DOCUMENT, LINK, "a.pdf")), {"chat_id": PERSON, "document": LINK}),
    ]
    foreign = [
        b'{"object": "whatsapp_business_account", "entry": []}',
        b'{"update_id": "901"}',
        b'[{"update_id": 901}]',
    ]
    callbacks: ClassVar[list[tuple[bytes, list[CallbackEvent]]]] = [
        (update(message=message(text="Oi!")), inbound("Oi!")),
        (
            update(message=message(text="Sim", reply_to_message=message(40, text="Confirma?"))),
            inbound("Sim", answers=f"{PERSON}:40"),
        ),
        (
            update(message=message(text="Oi!", chat=SHOP)),
            inbound("Oi!", sender=GROUP, sender_name="Clientes da padaria"),
        ),
        *((update(message=message(**said)), inbound("Olha", media=media)) for said, media in CAPTIONED),
        (update(message=message(photo=[file("p")])), inbound(media=Media(MediaKind.IMAGE, "p"))),
        *((update(message=message(**said)), inbound(text)) for said, text in SHOWN_AS_TEXT),
        (
            update(callback_query=touch()),
            [
                Inbound(
                    "", f"{PERSON}:40:4382", PERSON, ANY, "Sim",
                    sender_name="Ana Souza", answers=f"{PERSON}:40", button="yes",
                )
            ],
        ),
        (update(message=message(chat={"id": -55}, migrate_to_chat_id=int(GROUP))), [Moved("", "-55", GROUP)]),
        *((update(**what), []) for what in PASSED_OVER),
    ]  # fmt: skip

    def signed(self, body: bytes, credentials: Mapping[str, str]) -> dict[str, str]:
        return {SECRET_HEADER: credentials["secret_token"]}

    def refusal_quoting(self, words: str) -> bytes:
        return b'{"ok": false, "error_code": 400, "description": "%s"}' % words.encode()

    def outbound_to(self, to: str, answers: str = "") -> Outbound:
        return Outbound(MESSAGE_ID, to, Content(TEXT), self.credentials, answers)

    # Where Telegram is not as the others

    def test_request_goes_to_the_providers_address_with_its_secrets_in_no_log(self) -> None:
        """Telegram wants the token in the address: of all that is shown, nothing may show the address."""
        connector = self.connector("https://provider.example/v1/")
        send, check = connector.build_request(self.outbound()), connector.build_check(self.credentials)
        assert send.url == f"https://provider.example/v1/bot{TOKEN}/sendMessage"
        assert check.url == f"https://provider.example/v1/bot{TOKEN}/getMe"
        shown = f"{send!r} {send} {check!r} {check} {self.outbound()!r} {connector!r}"
        assert not any(secret in shown for secret in self.secrets)

    async def test_call_that_fails_does_not_show_its_address(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            nobody = f"http://127.0.0.1:{free.getsockname()[1]}"
        async with provider(hangs_up) as silent, client() as http:
            for url in (nobody, silent, "ftp://provider.example", "http://10.0.0.1"):
                with pytest.raises(SendFailed) as failed:
                    await self.connector(url).send(http, self.outbound())
                error: BaseException | None = failed.value
                while error is not None:
                    assert TOKEN not in f"{error!r} {error}"
                    error = error.__cause__ or error.__context__

    def test_callback_that_was_changed_on_the_way_is_not_believed(self) -> None:
        """It is: Telegram signs nothing, and shows a secret instead. TLS keeps both from whoever is on the way."""
        headers = self.signed(b"", self.credentials)
        assert self.verified(headers, b"{}")

    def test_secret_that_is_empty_is_nobodys(self) -> None:
        assert not self.verified({SECRET_HEADER: ""}, b"{}", secret_token="")
        assert not self.verified({}, b"{}", secret_token="")

    async def test_provider_that_agrees_unreadably_leaves_the_outcome_unknown(self) -> None:
        """The id is put together from two numbers, which nobody can spoil as one."""
        for body in (b"OK", b"", self.accepted[:-3], *self.without_id):
            async with provider(says(200, body)) as url, client() as http:
                with pytest.raises(OutcomeUnknown):
                    await self.connector(url).send(http, self.outbound())

    # Sending

    @pytest.mark.parametrize(
        ("kind", "method"),
        [
            (MediaKind.IMAGE, "sendPhoto"),
            (MediaKind.AUDIO, "sendAudio"),
            (MediaKind.VIDEO, "sendVideo"),
            (MediaKind.DOCUMENT, "sendDocument"),
        ],
    )
    def test_each_kind_of_media_has_its_method(self, kind: MediaKind, method: str) -> None:
        request = self.connector().build_request(self.outbound(Content(media=Media(kind, LINK))))
        assert request.url.endswith(f"/{method}")

    @pytest.mark.parametrize(
        ("answers", "quoted"),
        [
            (f"{PERSON}:40", 40),
            (f"{PERSON}:40:4382", 40),  # a button that was touched is on a message
            (f"{GROUP}:40", None),  # written before the group had another number
            (f"{PERSON}:", None),
            (f"{PERSON}:٤", None),
            ("wamid.1", None),
            ("", None),
        ],
    )
    def test_answer_quotes_the_message_where_it_is_in_the_chat(self, answers: str, quoted: int | None) -> None:
        body = orjson.loads(self.connector().build_request(self.outbound_to(PERSON, answers)).body)
        expected = quoted and {"message_id": quoted, "allow_sending_without_reply": True}
        assert body.get("reply_parameters") == expected

    @pytest.mark.parametrize(("to", "scope"), [(PERSON, "account"), (GROUP, "recipient")])
    async def test_limit_of_a_group_holds_nobody_else_up(self, to: str, scope: str) -> None:
        body = refused(429, "Too Many Requests", RateLimited, parameters={"retry_after": 31}).body
        async with provider(says(429, body)) as url, client() as http:
            with pytest.raises(RateLimited) as failed:
                await self.connector(url).send(http, self.outbound_to(to))
        assert (failed.value.scope, failed.value.retry_after) == (scope, 31)

    @pytest.mark.parametrize("wait", [-1, 10**6, 1.5, None, "soon", []])
    def test_wait_that_is_no_number_of_seconds_is_none(self, wait: Any) -> None:
        refusal = refused(429, "Too Many Requests", RateLimited, parameters={"retry_after": wait})
        failed = self.connector().classify(answer(429, refusal.body))
        assert isinstance(failed, RateLimited)
        assert failed.retry_after is None

    # Being called back

    async def test_telegram_is_told_where_to_call_us(self) -> None:
        seen: list[tuple[str, Any]] = []

        async def handler(request: web.Request) -> web.Response:
            seen.append((request.path, await request.json()))
            return web.Response(body=b'{"ok": true, "result": true}')

        ours = "https://recado.example/v1/hooks/telegram/1"
        async with provider(handler) as url, client() as http:
            assert await self.connector(url).call_back_at(http, self.credentials, ours)
        ((path, body),) = seen
        assert path == f"/v1/bot{TOKEN}/setWebhook"
        assert (body["url"], body["secret_token"]) == (ours, self.credentials["secret_token"])
        assert body["allowed_updates"] == ["message", "callback_query"]

    async def test_telling_where_to_call_us_fails_as_a_message_would(self) -> None:
        wrong = refused(400, "Bad Request: bad webhook: HTTPS url must be provided", MessageRejected)
        for handler, error in ((says(400, wrong.body), MessageRejected), (hangs_up, Transient)):
            async with provider(handler) as url, client() as http:
                with pytest.raises(error):
                    await self.connector(url).call_back_at(http, self.credentials, "http://recado.example")

    def test_touched_button_was_touched_now(self) -> None:
        (read,) = self.connector().events_of(self.call(update(callback_query=touch())))
        assert isinstance(read, Inbound)
        assert abs((read.at - clock.now()).total_seconds()) < 60

    def test_touch_is_answered_so_that_the_button_stops_turning(self) -> None:
        answer = self.connector().answer_to(self.call(update(callback_query=touch())))
        assert orjson.loads(answer) == {"method": "answerCallbackQuery", "callback_query_id": "4382"}

    @pytest.mark.parametrize("markup", [None, {}, {"inline_keyboard": [None, [None, {"callback_data": "yes"}]]}])
    def test_button_whose_title_is_not_told_has_none(self, markup: Any) -> None:
        on = touch()["message"] | {"reply_markup": markup}
        (read,) = self.connector().events_of(self.call(update(callback_query=touch(message=on))))
        assert isinstance(read, Inbound)
        assert (read.text, read.button) == ("", "yes")

    # Credentials

    @pytest.mark.parametrize(
        ("changes", "wrong"),
        [
            ({}, set()),
            ({"secret_token": "a"}, set()),
            ({"secret_token": "a" * 257}, {"secret_token"}),
            ({"secret_token": "not this"}, {"secret_token"}),
            ({"bot_token": "123456789"}, {"bot_token"}),
            ({"bot_token": f"bot{TOKEN}"}, {"bot_token"}),
            ({"bot_token": f"{TOKEN}/../x"}, {"bot_token"}),
            ({"bot_token": "1:short", "secret_token": "é"}, {"bot_token", "secret_token"}),
        ],
    )
    def test_credentials_that_cannot_be_any_are_said_to_be_none(
        self, changes: dict[str, str], wrong: set[str]
    ) -> None:
        assert set(self.connector().bad_credentials(self.credentials | changes)) == wrong
