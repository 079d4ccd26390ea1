"""What holds for every connector: each has a test class that derives from ConnectorSuite and fills its tables."""

import socket
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar
from uuid import UUID

import orjson
import pytest
from aiohttp import web

from apps.channels.carrying import why_not
from apps.channels.connector import Outbound
from apps.channels.content import Button, Content, Media, MediaKind
from apps.channels.errors import (
    AccountRejected,
    MessageRejected,
    OutcomeUnknown,
    RateLimited,
    SendFailed,
    Transient,
)
from apps.channels.http_connector import HttpConnector, Request
from apps.core.guarded_http import GuardedClient
from tests.channels.callback_suite import BASE, GARBAGE, CallbackSuite
from tests.channels.loopback_provider import answer, client, hangs_up, provider, says

MESSAGE_ID = UUID("0198a1f0-5c1e-7c3a-8f00-00000000c0de")
TEXT = "Olá, João! Seu pão está pronto 🥖"
TO = "+5511987654321"
LINK = "https://files.example/a"


@dataclass(frozen=True)
class Refusal:
    """An answer that says no, and what is to be made of it."""

    status: int
    body: bytes
    error: type[SendFailed]
    code: str
    has: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.code}-{self.error.name}"


WITHOUT_WORDS = [
    Refusal(429, b"", RateLimited, "429"),
    Refusal(401, b"<html>", AccountRejected, "401"),
    Refusal(500, b"", Transient, "500"),
    Refusal(503, b"[]", Transient, "503"),
    Refusal(502, b'{"error": "bad gateway"}', Transient, "502"),
    Refusal(400, b"", MessageRejected, "400"),
    Refusal(404, b'{"error": {}}', MessageRejected, "404"),
]


class ConnectorSuite(CallbackSuite):
    # An answer that says yes, and the id in it.
    accepted: ClassVar[bytes]
    provider_id: ClassVar[str]
    # Answers that say yes and name no message, besides GARBAGE.
    without_id: ClassVar[list[bytes]]
    refusals: ClassVar[list[Refusal]]

    # Whom a message is for, as the channel addresses people.
    to: ClassVar[str] = TO
    # What messages say, with the body of the request that says it to the provider.
    contents: ClassVar[list[tuple[Content, Any]]] = []

    def connector(self, base_url: str = BASE) -> HttpConnector:
        connector = super().connector(base_url)
        assert isinstance(connector, HttpConnector)
        return connector

    def refusal_quoting(self, words: str) -> bytes:
        """The body of a refusal whose explanation holds these words."""
        raise NotImplementedError

    @classmethod
    def tables(cls) -> dict[str, list[Any]]:
        own: dict[str, list[Any]] = {
            "refusal": [*cls.refusals, *WITHOUT_WORDS],
            "unreadable": [*GARBAGE, *cls.without_id],
        }
        return super().tables() | own

    def outbound(self, content: Content = Content(TEXT)) -> Outbound:  # noqa: B008 - nothing changes it
        return Outbound(MESSAGE_ID, self.to, content, self.credentials)

    def read_body(self, request: Request) -> Any:
        """As `contents` has it."""
        return orjson.loads(request.body)

    # Requests

    def test_request_goes_to_the_providers_address_with_its_secrets_in_no_log(self) -> None:
        connector = self.connector(BASE + "/")
        for request in (connector.build_request(self.outbound()), connector.build_check(self.credentials)):
            assert request.url.startswith(f"{BASE}/")
            assert "//" not in request.url.removeprefix("https://")
            for secret in self.secrets:
                assert secret not in request.url
                assert secret not in repr(request)
        assert not any(secret in repr(self.outbound()) for secret in self.secrets)

    def test_check_sends_nothing(self) -> None:
        check = self.connector().build_check(self.credentials)
        assert (check.method, check.body) == ("GET", b"")

    def test_content_is_said_in_the_providers_words(self) -> None:
        for content, expected in self.contents:
            assert self.read_body(self.connector().build_request(self.outbound(content))) == expected

    # Capabilities

    def test_whatever_can_be_sent_is_accepted(self) -> None:
        for content, _ in self.contents:
            assert why_not(self.connector().capabilities, content) is None

    def test_text_is_accepted_as_long_as_the_channel_carries_it(self) -> None:
        can = self.connector().capabilities
        buttons = (Button("yes", "Yes"),) if can.most_buttons else ()
        with_buttons = can.longest_text_with_buttons or can.longest_text
        for longest, content in ((can.longest_text, Content()), (with_buttons, Content(buttons=buttons))):
            self.must_carry(replace(content, text="x" * longest))
            self.must_refuse(replace(content, text="x" * (longest + 1)), "text", "too_long")
        if can.text_unit == "bytes":
            self.must_refuse(Content("é" * (can.longest_text // 2 + 1)), "text", "too_long")

    @pytest.mark.parametrize("kind", MediaKind)
    def test_media_is_accepted_with_as_many_words_as_the_channel_carries(self, kind: MediaKind) -> None:
        rule = self.connector().capabilities.media.get(kind)
        media = Content(media=Media(kind, LINK))
        if rule is None:
            self.must_refuse(media, "media/kind", "not_carried")
            return
        self.must_carry(replace(media, text="x" * rule.longest_caption))
        code = "too_long" if rule.longest_caption else "not_carried"
        self.must_refuse(replace(media, text="x" * (rule.longest_caption + 1)), "text", code)

    def test_buttons_are_accepted_as_many_and_as_long_as_the_channel_carries_them(self) -> None:
        can = self.connector().capabilities
        buttons = tuple(Button(str(n), f"{n:0{can.longest_button or 1}}") for n in range(can.most_buttons + 1))
        self.must_carry(Content("x", buttons=buttons[:-1]))
        self.must_refuse(
            Content("x", buttons=buttons), "buttons", "max_length" if can.most_buttons else "not_carried"
        )
        if can.most_buttons:
            too_long = Button("0", "x" * (can.longest_button + 1))
            self.must_refuse(Content("x", buttons=(too_long,)), "buttons/0/title", "max_length")

    def test_subject_and_answer_are_accepted_where_the_channel_knows_them(self) -> None:
        can = self.connector().capabilities
        assert (why_not(can, Content("x", subject="y")) is None) == can.has_subject
        assert (why_not(can, Content("x"), is_reply=True) is None) == can.quotes

    def must_carry(self, content: Content) -> None:
        assert why_not(self.connector().capabilities, content) is None
        assert self.connector().build_request(self.outbound(content)).body

    def must_refuse(self, content: Content, field: str, code: str) -> None:
        refused = why_not(self.connector().capabilities, content)
        assert refused is not None
        assert (refused.field, refused.code) == (field, code)

    # Answers

    def test_answer_names_the_message(self) -> None:
        assert self.connector().read_answer(answer(200, self.accepted)) == self.provider_id

    def test_answer_that_names_no_message_is_said_to(self, unreadable: bytes) -> None:
        with pytest.raises(ValueError):  # noqa: PT011 - a parser's own is one too
            self.connector().read_answer(answer(200, unreadable))

    def test_refusal_is_understood(self, refusal: Refusal) -> None:
        failed = self.connector().classify(answer(refusal.status, refusal.body))
        assert type(failed) is refusal.error
        assert failed.code == refusal.code
        for name, value in refusal.has.items():
            assert getattr(failed, name) == value

    def test_provider_says_when_to_come_back(self, refusal: Refusal) -> None:
        failed = self.connector().classify(answer(refusal.status, refusal.body, Retry_After="17"))
        if isinstance(failed, RateLimited | Transient) and "retry_after" not in refusal.has:
            assert failed.retry_after == 17

    @pytest.mark.parametrize("words", ["", "soon", "-1", "1.5", "9999999", "٣", "Wed, 21 Oct 2026 07:28:00 GMT"])
    def test_wait_that_cannot_be_read_is_none(self, words: str) -> None:
        failed = self.connector().classify(answer(503, b"", Retry_After=words))
        assert isinstance(failed, Transient)
        assert failed.retry_after is None

    @pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500])
    def test_garbage_is_a_refusal_like_any_other(self, status: int) -> None:
        for body in GARBAGE:
            assert isinstance(self.connector().classify(answer(status, body)), SendFailed)

    def test_words_of_a_refusal_can_be_stored(self) -> None:
        failed = self.connector().classify(answer(400, self.refusal_quoting("bad \\u0000 " + "x" * 9000)))
        assert "\0" not in failed.detail
        assert failed.detail.startswith("bad ")
        assert len(failed.detail) <= 500

    # Sending, over HTTP

    async def test_message_is_sent_once_as_it_was_built(self) -> None:
        seen: list[tuple[str, str, bytes]] = []

        async def handler(request: web.Request) -> web.Response:
            seen.append((request.method, request.path, await request.read()))
            return web.Response(body=self.accepted)

        async with provider(handler) as url, client() as http:
            assert await self.connector(url).send(http, self.outbound()) == self.provider_id
            built = self.connector(url).build_request(self.outbound())
        assert seen == [("POST", "/v1" + built.url.removeprefix(url), built.body)]

    async def test_provider_that_is_down_may_be_tried_again(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        async with client() as http:
            with pytest.raises(Transient) as failed:
                await self.connector(f"http://127.0.0.1:{port}").send(http, self.outbound())
        assert failed.value.code == "unreachable"

    async def test_connection_that_breaks_after_the_request_leaves_the_outcome_unknown(self) -> None:
        async with provider(hangs_up) as url, client() as http:
            with pytest.raises(OutcomeUnknown):
                await self.connector(url).send(http, self.outbound())

    async def test_provider_that_agrees_unreadably_leaves_the_outcome_unknown(self) -> None:
        too_long = self.accepted.replace(self.provider_id.encode(), b"x" * 256)
        nul = self.accepted.replace(self.provider_id.encode(), b"x\\u0000")
        for body in (b"OK", b"", self.accepted[:-3], too_long, nul, *self.without_id):
            async with provider(says(200, body)) as url, client() as http:
                with pytest.raises(OutcomeUnknown):
                    await self.connector(url).send(http, self.outbound())

    async def test_redirect_is_not_followed_and_spends_no_message(self) -> None:
        async with provider(says(302, b"", Location="https://elsewhere.example/")) as url, client() as http:
            with pytest.raises(Transient):
                await self.connector(url).send(http, self.outbound())

    async def test_private_address_is_refused_before_anything_is_sent(self) -> None:
        async with GuardedClient(timeout=5, allow_http=True) as http:
            with pytest.raises(AccountRejected) as failed:
                await self.connector("http://127.0.0.1:9/v1").send(http, self.outbound())
        assert failed.value.code == "target_refused"

    async def test_refusal_never_quotes_a_secret(self) -> None:
        for secret in self.secrets:
            body = self.refusal_quoting(f"Malformed access token {secret}" + "x" * 900 + secret)
            async with provider(says(400, body)) as url, client() as http:
                for call in (self.connector(url).send(http, self.outbound()),
                             self.connector(url).check(http, self.credentials)):  # fmt: skip
                    with pytest.raises(SendFailed) as failed:
                        await call
                    assert "Malformed access token [hidden]" in failed.value.detail
                    assert secret[:12] not in f"{failed.value!r} {failed.value}"

    async def test_good_credentials_pass_the_check(self) -> None:
        async with provider(says(200, b'{"id": "1"}')) as url, client() as http:
            await self.connector(url).check(http, self.credentials)

    async def test_check_that_is_not_answered_is_no_unknown_outcome(self) -> None:
        async with provider(hangs_up) as url, client() as http:
            with pytest.raises(Transient):
                await self.connector(url).check(http, self.credentials)
