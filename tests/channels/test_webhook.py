"""Webhooks to targets on this machine, judged by the library that the standard's authors publish."""

import socket
from typing import Any

import orjson
import pytest
from aiohttp import web
from standardwebhooks import Webhook as Library
from standardwebhooks import WebhookVerificationError

from apps.channels.carrying import why_not
from apps.channels.connector import CalledAt, Outbound
from apps.channels.connectors.webhook import Webhook
from apps.channels.content import Button, Content, Media, MediaKind
from apps.channels.errors import (
    MessageRejected,
    OutcomeUnknown,
    RateLimited,
    RecipientRejected,
    SendFailed,
    Transient,
)
from apps.core import standard_webhooks
from apps.core.guarded_http import GuardedClient
from tests.cast import CREDENTIALS
from tests.channels.connector_suite import LINK, MESSAGE_ID, TEXT
from tests.channels.loopback_provider import Handler, client, hangs_up, provider, says

SECRET = CREDENTIALS["webhook"]["signing_secret"]
WEBHOOK = Webhook("")


def outbound(to: str, content: Content = Content(TEXT), **values: Any) -> Outbound:  # noqa: B008 - nothing changes it
    return Outbound(MESSAGE_ID, to, content, CREDENTIALS["webhook"], **values)


class Target:
    """Takes what comes, and keeps it."""

    def __init__(self, *statuses: int) -> None:
        self.calls: list[tuple[str, dict[str, str], bytes]] = []
        self._statuses = list(statuses)

    async def take(self, request: web.Request) -> web.Response:
        self.calls.append((request.path_qs, dict(request.headers), await request.read()))
        return web.Response(status=self._statuses.pop(0) if self._statuses else 204)


async def sent(content: Content = Content(TEXT), **values: Any) -> Any:  # noqa: B008 - nothing changes it
    """As it arrives."""
    target = Target()
    async with provider(target.take) as url, client() as http:
        await WEBHOOK.send(http, outbound(url, content, **values))
    return orjson.loads(target.calls[0][2])


async def fail(handler: Handler) -> SendFailed:
    async with provider(handler) as url, client() as http:
        with pytest.raises(SendFailed) as failed:
            await WEBHOOK.send(http, outbound(url))
    return failed.value


# What is sent


async def test_message_is_signed_as_the_standard_wants_it() -> None:
    target = Target()
    async with provider(target.take) as url, client() as http:
        assert await WEBHOOK.send(http, outbound(f"{url}/hook?a=%2F")) == str(MESSAGE_ID)
    ((path, headers, body),) = target.calls
    assert path == "/v1/hook?a=%2F"
    assert headers["Content-Type"] == "application/json"
    assert headers["webhook-id"] == str(MESSAGE_ID)
    document = Library(SECRET).verify(body, headers)
    assert (document["type"], document["id"]) == ("message", str(MESSAGE_ID))
    assert document["timestamp"].endswith("+00:00")
    assert document["data"] == {"text": TEXT}
    with pytest.raises(WebhookVerificationError):
        Library(standard_webhooks.new_secret()).verify(body, headers)


async def test_repetition_has_the_id_of_the_first() -> None:
    target = Target(500)
    async with provider(target.take) as url, client() as http:
        with pytest.raises(Transient):
            await WEBHOOK.send(http, outbound(url))
        await WEBHOOK.send(http, outbound(url))
    assert [headers["webhook-id"] for _, headers, _ in target.calls] == [str(MESSAGE_ID)] * 2
    assert WEBHOOK.capabilities.sends_are_idempotent


async def test_message_tells_all_that_it_holds() -> None:
    content = Content(
        "Veja",
        subject="Pão",
        media=Media(MediaKind.IMAGE, LINK, "pao.png", "image/png"),
        buttons=(Button("yes", "Sim"), Button("no", "Não")),
    )
    assert (await sent(content, answers="0198a1f0-0000-7000-8000-000000000001"))["data"] == {
        "text": "Veja",
        "subject": "Pão",
        "media": {"kind": "image", "url": LINK, "file_name": "pao.png", "media_type": "image/png"},
        "buttons": [{"id": "yes", "title": "Sim"}, {"id": "no", "title": "Não"}],
        "reply_to": "0198a1f0-0000-7000-8000-000000000001",
    }


async def test_largest_message_stays_below_20_kB() -> None:  # noqa: N802 - the unit
    can = WEBHOOK.capabilities
    content = Content(
        "é" * (can.longest_text // 2),
        subject="🥖" * 255,
        media=Media(MediaKind.DOCUMENT, LINK + "x" * 1980, "🥖" * 200, "x" * 60 + "/" + "x" * 60),
        buttons=tuple(Button("🥖" * 64, "🥖" * can.longest_button) for _ in range(can.most_buttons)),
    )
    assert why_not(can, content, is_reply=True) is None
    target = Target()
    async with provider(target.take) as url, client() as http:
        await WEBHOOK.send(http, outbound(url, content, answers=str(MESSAGE_ID)))
    assert 15_000 < len(target.calls[0][2]) < 20_000


def test_channel_says_what_it_carries() -> None:
    can = WEBHOOK.capabilities
    assert why_not(can, Content("é" * (can.longest_text // 2 + 1))) is not None
    assert not any((can.echoes_our_id, can.reports_delivered, can.hears_replies, can.has_templates))
    assert WEBHOOK.called_at is CalledAt.NOWHERE


# What becomes of it


@pytest.mark.parametrize("status", [200, 201, 202, 204, 206])
async def test_any_answer_that_says_yes_is_taken(status: int) -> None:
    async with provider(says(status, b"")) as url, client() as http:
        assert await WEBHOOK.send(http, outbound(url)) == str(MESSAGE_ID)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (301, RecipientRejected),
        (302, RecipientRejected),
        (304, RecipientRejected),
        (308, RecipientRejected),
        (400, MessageRejected),
        (401, MessageRejected),
        (404, MessageRejected),
        (408, Transient),
        (410, RecipientRejected),
        (413, MessageRejected),
        (429, RateLimited),
        (500, Transient),
        (502, Transient),
        (503, Transient),
        (599, Transient),
    ],
)
async def test_refusal_is_understood(status: int, error: type[SendFailed]) -> None:
    failed = await fail(says(status, b"the body is not read", Location="http://127.0.0.1:9/"))
    assert (type(failed), failed.code) == (error, str(status))
    assert "body" not in failed.detail


async def test_target_that_is_gone_wants_no_more() -> None:
    gone, moved = await fail(says(410, b"")), await fail(says(301, b""))
    assert isinstance(gone, RecipientRejected)
    assert isinstance(moved, RecipientRejected)
    assert (gone.opted_out, moved.opted_out) == (True, False)


@pytest.mark.parametrize("status", [408, 429, 500, 503])
async def test_target_says_when_to_come_back(status: int) -> None:
    failed = await fail(says(status, b"", Retry_After="17"))
    assert isinstance(failed, Transient | RateLimited)
    assert failed.retry_after == 17
    if isinstance(failed, RateLimited):
        assert failed.scope == "recipient"


async def test_target_that_hangs_up_may_have_the_message() -> None:
    assert isinstance(await fail(hangs_up), OutcomeUnknown)


async def test_target_that_is_down_may_be_tried_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    async with client() as http:
        with pytest.raises(Transient) as failed:
            await WEBHOOK.send(http, outbound(f"http://127.0.0.1:{port}"))
    assert failed.value.code == "unreachable"


async def test_target_that_may_not_be_called_is_the_recipients_fault() -> None:
    async with GuardedClient() as http:
        with pytest.raises(RecipientRejected) as failed:
            await WEBHOOK.send(http, outbound("https://127.0.0.1/hook"))
    assert (failed.value.code, failed.value.opted_out) == ("target_refused", False)


# Credentials


async def test_check_asks_nobody() -> None:
    async with GuardedClient() as http:
        await WEBHOOK.check(http, CREDENTIALS["webhook"])


@pytest.mark.parametrize("secret", ["whsec_", "whsec_short", "A" * 44, "whsec_" + "A" * 100, "whsec_!!!"])
def test_secret_that_is_none_is_seen_at_once(secret: str) -> None:
    assert list(Webhook.bad_credentials({"signing_secret": secret})) == ["signing_secret"]


def test_good_secret_is_good_and_in_no_log() -> None:
    assert Webhook.bad_credentials(CREDENTIALS["webhook"]) == {}
    assert SECRET not in repr(outbound("https://aurora.example/"))
