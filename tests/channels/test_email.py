"""What mails say, whom they reach and what they carry, as real SMTP servers on this machine take them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from pytest_django import Settings

from apps.channels.carrying import why_not
from apps.channels.connector import CalledAt
from apps.channels.connectors.email import Email
from apps.channels.content import Button, Content, Media, MediaKind
from apps.channels.errors import (
    AccountRejected,
    MessageRejected,
    OutcomeUnknown,
    RecipientRejected,
    SendFailed,
    Transient,
)
from apps.channels.simulators.delays import Delays
from apps.channels.simulators.faults import Faults, parse_faults
from apps.channels.simulators.smtp import Smtp
from apps.channels.simulators.tally import Tally
from tests.cast import CREDENTIALS
from tests.channels.connector_suite import TEXT
from tests.channels.loopback_mail import mail_server
from tests.channels.loopback_provider import LOOPBACK, Handler, provider, says
from tests.channels.mails import ANA, OUR_ID, credentials, fail, mail_of, outbound, read, send, text_of, unused

IMAGE = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
LINK = "https://recado.example/u/0123456789abcdef-0123456789abcdef-0123456789abcdef-0123456789abcdef-0123456789"


# What a mail says


async def test_mail_says_whom_it_is_from_and_for(email: Email) -> None:
    async with mail_server() as served:
        assert await send(email, outbound(served)) == OUR_ID
    mail = read(served.mails[0])
    assert (mail["From"], mail["To"]) == ("Padaria Aurora <pedidos@aurora.example>", ANA)
    assert (mail["Message-ID"], mail["Reply-To"]) == (OUR_ID, "balcao@aurora.example")
    assert mail.get_content_type() == "text/plain"
    assert text_of(mail).strip() == TEXT
    envelope = [command.split(" size=")[0] for command in served.commands if command[:4] in {"mail", "rcpt"}]
    assert envelope == ["mail FROM:<pedidos@aurora.example>", f"rcpt TO:<{ANA}>"]


async def test_mail_has_the_same_id_in_every_attempt(email: Email) -> None:
    async with mail_server(RCPT=[b"451 4.3.0 Later\r\n", b"250 OK\r\n"]) as served:
        assert isinstance(await fail(email, outbound(served)), Transient)
        assert await send(email, outbound(served)) == OUR_ID
    assert read(served.mails[0])["Message-ID"] == OUR_ID


@pytest.mark.parametrize(
    ("content", "subject"),
    [
        (Content("Corpo", subject="Seu pão está pronto 🥖"), "Seu pão está pronto 🥖"),
        (Content("Corpo", subject="á" * 255), "á" * 255),
        (Content("\n \nOlá, Ana!\nSeu pão está pronto."), "Olá, Ana!"),
        (Content("x" * 100), "x" * 78),
        (Content("um\ttexto\x0bdois"), "um texto"),
        (Content(""), "Padaria Aurora"),
    ],
)
async def test_subject_is_the_one_given_or_what_the_text_begins_with(
    email: Email, content: Content, subject: str
) -> None:
    assert (await mail_of(email, content))["Subject"].strip() == subject


@pytest.mark.parametrize(
    "text",
    [
        "x" * 5000,
        ".\n..\n.fim",
        "From Ana\nFrom Bia",
        "é" * 2000 + "\n.",
        "a\n\n\nb",
        "https://aurora.example/?a=1&b=%20",
    ],
)
async def test_text_arrives_to_the_letter(email: Email, text: str) -> None:
    assert text_of(await mail_of(email, Content(text))).rstrip("\n") == text


async def test_mail_says_how_to_get_no_more_of_them(email: Email) -> None:
    async with mail_server() as served:
        await send(email, outbound(served, unsubscribe_url=LINK))
    assert f"\r\nList-Unsubscribe: <{LINK}>\r\n".encode() in served.mails[0]
    assert b"\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in served.mails[0]


async def test_mail_that_was_asked_for_has_nothing_to_unsubscribe_from(email: Email) -> None:
    assert not any(name.startswith("List-") for name in (await mail_of(email)).keys())  # noqa: SIM118


async def test_answer_names_what_it_answers(email: Email) -> None:
    mail = await mail_of(email, answers="<abc.1@cliente.example>")
    assert mail["In-Reply-To"] == mail["References"] == "<abc.1@cliente.example>"


@pytest.mark.parametrize("answers", ["", "wamid.1", "<a@b>\r\nBcc: eva@example.com", "<a@b> <c@d>", "<a b@c>"])
async def test_what_is_no_id_of_a_mail_is_not_answered(email: Email, answers: str) -> None:
    mail = await mail_of(email, answers=answers)
    assert mail["In-Reply-To"] is mail["References"] is mail["Bcc"] is None


@pytest.mark.parametrize(
    "to", [f"{ANA}\r\nBcc: eva@example.com", f"{ANA}>\r\nDATA", f"{ANA}, eva@example.com", "", "x"]
)
async def test_address_that_is_none_is_refused_before_anybody_is_called(email: Email, to: str) -> None:
    async with mail_server() as served:
        assert isinstance(await fail(email, outbound(served, to=to)), RecipientRejected)
    assert served.connections == 0


@pytest.mark.parametrize("subject", ["a\r\nBcc: eva@example.com", "a\n", "a\rb", "a\x00b", "a\u2028b"])
async def test_subject_of_several_lines_is_refused_before_anybody_is_called(email: Email, subject: str) -> None:
    async with mail_server() as served:
        failed = await fail(email, outbound(served, Content("x", subject=subject)))
    assert (type(failed), failed.code, served.connections) == (MessageRejected, "bad_subject", 0)


# Media


def image(url: str, **values: Any) -> Content:
    return Content("Veja", media=Media(MediaKind.IMAGE, url, **values))


@pytest.mark.parametrize(
    ("path", "given", "claimed", "name", "media_type"),
    [
        ("/pao.png", {}, "image/png", "pao.png", "image/png"),
        ("/a/b%2Fc.png?x=1", {}, "image/png; charset=x", "b_c.png", "image/png"),
        ("/x", {"file_name": "Pão quente.png", "media_type": "image/png"}, "", "Pão quente.png", "image/png"),
        ("/", {}, "application/pdf", "image.pdf", "application/pdf"),
        ("/x", {"file_name": "../../etc/passwd"}, "text/html", "_.._etc_passwd", "application/octet-stream"),
        ("/x.html", {"media_type": "text/html"}, "image/png", "x.html", "application/octet-stream"),
        ("/x.svg", {}, "image/svg+xml", "x.svg", "application/octet-stream"),
        ("/x", {"file_name": 'a"\r\nBcc: b@c.example'}, "", "a___Bcc_ b@c.example", "application/octet-stream"),
        ("/x.eml", {"media_type": "message/rfc822"}, "", "x.eml", "application/octet-stream"),
    ],
)  # fmt: skip
async def test_media_is_attached_under_a_safe_name_and_type(
    email: Email, path: str, given: dict[str, str], claimed: str, name: str, media_type: str
) -> None:
    async with provider(says(200, IMAGE, Content_Type=claimed)) as url:
        mail = await mail_of(email, image(url + path, **given))
    (attached,) = mail.iter_attachments()
    assert (attached.get_filename(), attached.get_content_type()) == (name, media_type)
    assert attached.get_payload(decode=True) == IMAGE
    assert text_of(mail).strip() == "Veja"
    assert mail["Bcc"] is None


async def too_large(_: web.Request) -> web.Response:
    return web.Response(body=bytes(10 * 1024 * 1024 + 1))


async def breaks_off(request: web.Request) -> web.StreamResponse:
    answer = web.StreamResponse(headers={"Content-Length": "1000"})
    await answer.prepare(request)
    await answer.write(b"half")
    assert request.transport
    request.transport.close()
    return answer


@pytest.mark.parametrize(
    ("handler", "error", "code"),
    [
        (says(404, b""), MessageRejected, "media_refused"),
        (says(403, b""), MessageRejected, "media_refused"),
        (says(302, b"", Location="/x"), MessageRejected, "media_refused"),
        (says(500, b""), Transient, "media_unreachable"),
        (says(429, b""), Transient, "media_unreachable"),
        (too_large, MessageRejected, "media_too_large"),
        (breaks_off, Transient, "media_unreachable"),
    ],
)
async def test_media_that_cannot_be_had_keeps_its_mail_from_being_sent(
    email: Email, handler: Handler, error: type[SendFailed], code: str
) -> None:
    async with provider(handler) as url, mail_server() as served:
        failed = await fail(email, outbound(served, image(url)))
    assert (type(failed), failed.code, served.connections) == (error, code, 0)


async def test_media_whose_server_is_away_may_be_tried_again(email: Email) -> None:
    async with mail_server() as served:
        failed = await fail(email, outbound(served, image(f"http://{unused()}/x")))
    assert (type(failed), failed.code) == (Transient, "media_unreachable")
    assert not failed.blames_provider


# What accounts and messages may be


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"security": "none"}, "server"),
        ({"security": "ssl"}, "security"),
        ({"server": "smtp.example.com:6379"}, "server"),
        ({"server": "smtp.example.com:http"}, "server"),
        ({"server": "smtp.example.com:587/x"}, "server"),
        ({"server": "https://smtp.example.com"}, "server"),
        ({"server": "10.0.0.5"}, "server"),
        ({"server": "user@smtp.example.com"}, "server"),
        ({"username": ""}, "password"),
        ({"password": ""}, "password"),
        ({"from_address": "Padaria <a@b.example>"}, "from_address"),
        ({"from_address": "a@b.example, c@d.example"}, "from_address"),
        ({"from_address": f"a@{'b.' * 120}example"}, "from_address"),
        ({"reply_to": "nobody"}, "reply_to"),
    ],
)  # fmt: skip
def test_bad_credentials_are_seen_without_asking_anybody(wrong: dict[str, str], field: str) -> None:
    assert list(Email.bad_credentials(CREDENTIALS["email"] | wrong)) == [field]


@pytest.mark.parametrize(
    "server", ["smtp.example.com", "smtp.example.com:2525", "smtp.example.com.:465", "8.8.8.8:25"]
)
def test_good_credentials_are_good(server: str) -> None:
    assert Email.bad_credentials(CREDENTIALS["email"] | {"server": server, "reply_to": ""}) == {}


def test_encryption_may_be_left_out_where_networks_are_opened(settings: Settings) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = LOOPBACK
    assert Email.bad_credentials(credentials("127.0.0.1:8025")) == {}


def test_channel_says_what_it_carries() -> None:
    can = Email.capabilities
    media = Media(MediaKind.DOCUMENT, "https://files.example/a")
    for content in (Content("x" * 65_536), Content("x", subject="y"), Content("x", media=media)):
        assert why_not(can, content, is_reply=True) is None
    assert why_not(can, Content("x" * 65_537)) is not None
    assert why_not(can, Content("x", buttons=(Button("1", "Sim"),))) is not None
    # Nobody says what became of a mail, and a second one of the same id is a second one.
    assert not any((can.echoes_our_id, can.sends_are_idempotent, can.reports_delivered, can.hears_replies))
    assert can.offers_one_click
    assert Email.called_at is CalledAt.NOWHERE


# Against the simulated server


@asynccontextmanager
async def simulated(*faults: dict[str, Any]) -> AsyncIterator[tuple[str, Tally]]:
    tally, ordered = Tally(100), Faults()
    ordered.replace(parse_faults(list(faults)))
    async with Smtp(ordered, Delays(), tally).serving("127.0.0.1", 0) as port:
        yield f"127.0.0.1:{port}", tally


@pytest.mark.parametrize(
    ("kind", "error", "accepted"),
    [
        ("server_error", Transient, 0),
        ("rate_limited", Transient, 0),
        ("blocked", RecipientRejected, 0),
        ("opted_out", MessageRejected, 0),
        ("invalid_token", AccountRejected, 0),
        ("cut_before", Transient, 0),
        ("cut_after", OutcomeUnknown, 1),
    ],
)
async def test_fault_is_understood(email: Email, kind: str, error: type[SendFailed], accepted: int) -> None:
    async with simulated({"kind": kind}) as (server, tally):
        assert isinstance(await fail(email, outbound(server)), error)
    assert tally.accepted == accepted


async def test_simulated_server_counts_mails_by_their_ids(email: Email) -> None:
    async with simulated() as (server, tally):
        for _ in range(2):
            await send(email, outbound(server))
    assert (tally.accepted, tally.summary()["doubled"]) == (2, {OUR_ID: 2})
    assert [entry[1:] for entry in tally.entries()] == [("smtp", "padaria", ANA, OUR_ID, TEXT)] * 2
