"""E-mail against real SMTP servers on this machine: good ones, broken ones and spiteful ones."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from aiohttp import web
from pytest_django import Settings

from apps.channels import smtp
from apps.channels.carrying import why_not
from apps.channels.connector import CalledAt, Outbound
from apps.channels.connectors.email import Email
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
from apps.channels.simulators.delays import Delays
from apps.channels.simulators.faults import Faults, parse_faults
from apps.channels.simulators.smtp import Smtp
from apps.channels.simulators.tally import Tally
from apps.channels.smtp_line import HungUp
from apps.core.ids import new_id
from tests.cast import CREDENTIALS
from tests.channels.connector_suite import MESSAGE_ID, TEXT
from tests.channels.loopback_mail import (
    CONTENT,
    GREETING,
    MailServer,
    drips,
    hangs_up,
    mail_server,
    never_ends,
    stays_silent,
)
from tests.channels.loopback_provider import LOOPBACK, Handler, client, provider, says
from tests.core.test_guarded_http import Certified, Names

ANA = "ana@cliente.example"
# Mails have no use for it, and each would take a while to make.
HTTP = client()
OUR_ID = f"<{MESSAGE_ID}@aurora.example>"
LINK = "https://recado.example/u/0123456789abcdef-0123456789abcdef-0123456789abcdef-0123456789abcdef-0123456789"
IMAGE = b"\x89PNG\r\n\x1a\n" + bytes(range(256))


@pytest.fixture
def email(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Email]:
    settings.OUTBOUND_ALLOWED_NETWORKS = LOOPBACK
    made = Email("")
    yield made
    monkeypatch.setattr(smtp, "IDLE_SECONDS", 0.0)
    made._smtp._hang_up_idle()


def credentials(server: str, **values: str) -> dict[str, str]:
    return CREDENTIALS["email"] | {"server": server, "security": "none"} | values


def outbound(served: MailServer | str, content: Content = Content(TEXT), to: str = ANA, **values: Any) -> Outbound:  # noqa: B008
    server = served if isinstance(served, str) else served.address
    return Outbound(MESSAGE_ID, to, content, credentials(server), **values)


async def send(email: Email, wanted: Outbound) -> str:
    return await email.send(HTTP, wanted)


async def fail(email: Email, wanted: Outbound) -> SendFailed:
    with pytest.raises(SendFailed) as failed:
        await send(email, wanted)
    return failed.value


async def mail_of(email: Email, content: Content = Content(TEXT), **values: Any) -> EmailMessage:  # noqa: B008
    """As it arrives."""
    async with mail_server() as served:
        await send(email, outbound(served, content, **values))
    return read(served.mails[0])


def read(mail: bytes) -> EmailMessage:
    unquoted = mail.removesuffix(b".\r\n").replace(b"\r\n..", b"\r\n.")
    return message_from_bytes(unquoted, policy=policy.default)


def text_of(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")


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


def image(url: str, **values: str) -> Content:
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


def unused() -> str:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return f"127.0.0.1:{free.getsockname()[1]}"


# What the server says


@pytest.mark.parametrize(
    ("command", "answer", "error", "code"),
    [
        (GREETING, b"421 4.3.2 Busy", Transient, "421"),
        (GREETING, b"554 5.7.1 Your address is blocked", AccountRejected, "554 5.7.1"),
        ("AUTH", b"535 5.7.8 Bad password", AccountRejected, "535 5.7.8"),
        ("AUTH", b"534 5.7.9 Another way is needed", AccountRejected, "534 5.7.9"),
        ("AUTH", b"454 4.7.0 Not now", Transient, "454 4.7.0"),
        ("MAIL", b"530 5.7.0 Log in first", AccountRejected, "530 5.7.0"),
        ("MAIL", b"550 5.7.1 Not your address", AccountRejected, "550 5.7.1"),
        ("MAIL", b"553 Not allowed", AccountRejected, "553"),
        ("MAIL", b"451 4.3.0 Later", Transient, "451 4.3.0"),
        ("MAIL", b"552 5.3.4 Too large", MessageRejected, "552 5.3.4"),
        ("RCPT", b"550 5.1.1 No such user", RecipientRejected, "550 5.1.1"),
        ("RCPT", b"550 No such user", RecipientRejected, "550"),
        ("RCPT", b"550-5.1.1 No such\r\n550 5.1.1 user", RecipientRejected, "550 5.1.1"),
        ("RCPT", b"552 5.2.2 Mailbox full", RecipientRejected, "552 5.2.2"),
        ("RCPT", b"550 5.2.1 Disabled", RecipientRejected, "550 5.2.1"),
        ("RCPT", b"550 5.7.1 Looks like spam", MessageRejected, "550 5.7.1"),
        ("RCPT", b"550 5.1.8 Bad sender", AccountRejected, "550 5.1.8"),
        ("RCPT", b"530 5.7.0 Log in first", AccountRejected, "530 5.7.0"),
        ("RCPT", b"450 4.2.1 Too fast", Transient, "450 4.2.1"),
        ("RCPT", b"452 4.2.2 Full", Transient, "452 4.2.2"),
        ("DATA", b"451 4.7.1 Later", Transient, "451 4.7.1"),
        ("DATA", b"554 5.5.1 No valid recipients", MessageRejected, "554 5.5.1"),
        (CONTENT, b"554 5.7.1 Spam", MessageRejected, "554 5.7.1"),
        (CONTENT, b"552 Too large", MessageRejected, "552"),
        (CONTENT, b"552 5.2.3 Too large", MessageRejected, "552 5.2.3"),
        (CONTENT, b"550 5.1.1 No such user", RecipientRejected, "550 5.1.1"),
        (CONTENT, b"451 4.3.0 Later", Transient, "451 4.3.0"),
        (CONTENT, b"421 4.3.2 Going down", Transient, "421 4.3.2"),
    ],
)
async def test_refusal_is_understood(
    email: Email, command: str, answer: bytes, error: type[SendFailed], code: str
) -> None:
    async with mail_server(**{command: answer + b"\r\n"}) as served:
        failed = await fail(email, outbound(served))
    assert isinstance(failed, error)
    assert failed.code == code
    assert failed.detail


async def test_refused_mail_leaves_the_connection_to_the_next_one(email: Email) -> None:
    async with mail_server(RCPT=[b"550 5.1.1 No\r\n", b"250 OK\r\n"]) as served:
        assert isinstance(await fail(email, outbound(served)), RecipientRejected)
        await send(email, outbound(served))
    assert (served.connections, len(served.mails)) == (1, 1)


async def test_refusal_never_quotes_the_password(email: Email) -> None:
    password = CREDENTIALS["email"]["password"]
    async with mail_server(AUTH=f"535 5.7.8 Not {password}\r\n".encode()) as served:
        failed = await fail(email, outbound(served))
        assert password not in repr(outbound(served))
    assert failed.detail == "5.7.8 Not [hidden]"


@pytest.mark.parametrize("command", [GREETING, "EHLO", "AUTH", "MAIL", "RCPT", "DATA"])
async def test_connection_lost_before_the_content_may_be_tried_again(email: Email, command: str) -> None:
    async with mail_server(**{command: hangs_up}) as served:
        failed = await fail(email, outbound(served))
    assert isinstance(failed, Transient)
    assert (failed.code, served.mails, served.connections) == ("unreachable", [], 1)


@pytest.mark.parametrize(
    "answer", [hangs_up, b"what?\r\n", b"250-" + b"x" * 9000 + b"\r\n", b"199 1.0.0\r\n", never_ends]
)
async def test_connection_lost_after_the_content_leaves_the_outcome_unknown(email: Email, answer: Any) -> None:
    async with mail_server(**{CONTENT: answer}) as served:
        failed = await fail(email, outbound(served))
    assert (type(failed), failed.code) == (OutcomeUnknown, "no_answer")
    assert len(served.mails) == 1


@pytest.mark.parametrize("command", [GREETING, "AUTH", "RCPT"])
@pytest.mark.parametrize("answer", [stays_silent, drips, never_ends, b"what?\r\n", b"\r\n", b"\xff\xff\xff\r\n"])
async def test_server_that_makes_no_sense_is_left_in_time(
    email: Email, settings: Settings, command: str, answer: Any
) -> None:
    settings.OUTBOUND_SECONDS = 0.15
    async with mail_server(**{command: answer}) as served, asyncio.timeout(3):
        failed = await fail(email, outbound(served))
    assert isinstance(failed, Transient | AccountRejected)
    assert served.mails == []


@pytest.mark.parametrize("answer", [stays_silent, drips])
async def test_server_that_thinks_too_long_about_the_content_leaves_the_outcome_unknown(
    email: Email, settings: Settings, answer: Any
) -> None:
    settings.OUTBOUND_SECONDS = 0.3
    async with mail_server(**{CONTENT: answer}) as served, asyncio.timeout(3):
        assert isinstance(await fail(email, outbound(served)), OutcomeUnknown)


async def test_server_that_is_down_may_be_tried_again(email: Email) -> None:
    failed = await fail(email, outbound(unused()))
    assert (type(failed), failed.code) == (Transient, "unreachable")
    assert "ECONNREFUSED" in failed.detail


async def test_name_server_that_is_silent_is_not_waited_for(
    email: Email, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.OUTBOUND_SECONDS = 0.2
    asked = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: asked.wait(5) and [])
    try:
        async with asyncio.timeout(2):
            failed = await fail(email, outbound("slow.example:25"))
    finally:
        asked.set()
    assert (type(failed), failed.code, failed.detail) == (Transient, "unreachable", "timed out")


# Connections


async def test_mails_of_a_batch_share_a_few_connections(email: Email) -> None:
    async with mail_server() as served, asyncio.TaskGroup() as sending:
        for n in range(60):
            wanted = Outbound(new_id(), f"ana{n}@cliente.example", Content("Oi"), credentials(served.address))
            sending.create_task(email.send(HTTP, wanted))
    assert 1 <= served.connections <= 8
    assert {read(mail)["To"] for mail in served.mails} == {f"ana{n}@cliente.example" for n in range(60)}
    assert len(served.mails) == 60


async def test_connection_is_kept_for_the_next_mail_of_the_same_account_only(email: Email) -> None:
    async with mail_server() as served:
        await send(email, outbound(served))
        await send(email, outbound(served))
        assert served.connections == 1
        other = Outbound(new_id(), ANA, Content("x"), credentials(served.address, password="another password"))
        await send(email, other)
    assert (served.connections, len(served.mails)) == (2, 3)


async def test_idle_connection_is_hung_up_in_time(email: Email, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp, "IDLE_SECONDS", 0.05)
    async with mail_server() as served:
        await send(email, outbound(served))
        await asyncio.wait_for(served.hung_up.wait(), 3)
    assert served.commands[-1] == "quit"


@pytest.mark.parametrize(
    ("command", "answer"), [("MAIL", hangs_up), ("MAIL", b"421 4.3.2 Enough\r\n"), ("RCPT", hangs_up)]
)
async def test_kept_connection_that_the_server_ended_is_replaced(email: Email, command: str, answer: Any) -> None:
    answers: list[Answer] = [b"250 OK\r\n", answer, b"250 OK\r\n"]
    async with mail_server(**{command: answers}) as served:
        await send(email, outbound(served))
        await send(email, outbound(served))
    assert (served.connections, len(served.mails)) == (2, 2)


async def test_kept_connection_lost_after_the_content_is_not_tried_again(email: Email) -> None:
    answers: list[Answer] = [b"250 OK\r\n", hangs_up, b"250 OK\r\n"]
    async with mail_server(**{CONTENT: answers}) as served:
        await send(email, outbound(served))
        assert isinstance(await fail(email, outbound(served)), OutcomeUnknown)
    assert (served.connections, len(served.mails)) == (1, 2)


async def test_mails_that_a_slow_server_leaves_no_time_for_spend_no_attempt(
    email: Email, settings: Settings
) -> None:
    settings.OUTBOUND_SECONDS = 0.4
    async with mail_server(RCPT=stays_silent) as served:
        sending = [asyncio.create_task(email.send(HTTP, outbound(served))) for _ in range(9)]
        failed = await asyncio.gather(*sending, return_exceptions=True)
    (limited,) = [each for each in failed if isinstance(each, RateLimited)]
    assert (limited.code, limited.scope) == ("busy", "account")
    assert [type(each) for each in failed if each is not limited] == [HungUp] * 8


# TLS


@asynccontextmanager
async def secured(certified: Certified, *, implicit: bool = False) -> AsyncIterator[tuple[int, Tally]]:
    """A mail server with the certificate of hooks.example."""
    tally = Tally(100)
    made = Smtp(Faults(), Delays(), tally, certified.server, is_tls_from_the_start=implicit)
    async with made.serving("127.0.0.1", 0) as port:
        yield port, tally


@pytest.fixture
def trusting(names: Names, hooks_example: Certified, monkeypatch: pytest.MonkeyPatch) -> Certified:
    names.answers["hooks.example"] = names.answers["other.example"] = [["127.0.0.1"]]
    monkeypatch.setattr("ssl.create_default_context", lambda: hooks_example.trust)
    return hooks_example


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_mail_is_encrypted_for_the_name_and_not_the_address(
    email: Email,
    trusting: Certified,
    names: Names,
    security: str,
) -> None:
    async with secured(trusting, implicit=security == "tls") as (port, tally):
        for _ in range(2):
            wanted = Outbound(
                MESSAGE_ID, ANA, Content(TEXT), credentials(f"hooks.example:{port}", security=security)
            )
            assert await send(email, wanted) == OUR_ID
        assert (tally.accepted, names.questions) == (2, ["hooks.example"])


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_certificate_of_another_is_refused_before_the_password_is_said(
    email: Email, trusting: Certified, security: str
) -> None:
    async with secured(trusting, implicit=security == "tls") as (port, tally):
        wanted = Outbound(MESSAGE_ID, ANA, Content(TEXT), credentials(f"other.example:{port}", security=security))
        failed = await fail(email, wanted)
    assert (type(failed), failed.code) == (Transient, "unreachable")
    assert "the certificate is refused: " in failed.detail
    assert tally.requests == 0


async def test_server_without_encryption_is_not_told_the_password(email: Email) -> None:
    async with mail_server() as served:
        wanted = Outbound(MESSAGE_ID, ANA, Content(TEXT), credentials(served.address, security="starttls"))
        failed = await fail(email, wanted)
    assert (type(failed), failed.code) == (AccountRejected, "not_supported")
    assert not any(command.startswith("AUTH") for command in served.commands)


@pytest.mark.parametrize("answer", [hangs_up, drips, b"nonsense\r\n"])
async def test_broken_tls_handshake_may_be_tried_again(email: Email, settings: Settings, answer: Any) -> None:
    settings.OUTBOUND_SECONDS = 0.4
    async with mail_server(**{GREETING: answer}) as served, asyncio.timeout(3):
        wanted = Outbound(MESSAGE_ID, ANA, Content(TEXT), credentials(served.address, security="tls"))
        assert isinstance(await fail(email, wanted), Transient)
    assert served.mails == []


# Checking


async def test_check_logs_in_and_sends_nothing(email: Email) -> None:
    async with mail_server() as served:
        await email.check(HTTP, credentials(served.address))
        await asyncio.wait_for(served.hung_up.wait(), 2)
    assert [command.split()[0].upper() for command in served.commands] == ["EHLO", "AUTH", "NOOP", "QUIT"]


async def test_check_without_a_user_name_does_not_log_in(email: Email) -> None:
    async with mail_server() as served:
        await email.check(HTTP, credentials(served.address, username="", password=""))
    assert not any(command.startswith("AUTH") for command in served.commands)


@pytest.mark.parametrize(
    ("answers", "error"),
    [
        ({"AUTH": b"535 5.7.8 Bad password\r\n"}, AccountRejected),
        ({"EHLO": b"250 mail.example\r\n"}, AccountRejected),
        ({"EHLO": b"250-mail.example\r\n250 AUTH GSSAPI\r\n"}, AccountRejected),
        ({GREETING: hangs_up}, Transient),
        ({"NOOP": hangs_up}, Transient),
        ({"AUTH": b"334 !!!\r\n"}, Transient),
    ],
)
async def test_check_says_what_a_mail_would_meet(
    email: Email, answers: dict[str, Any], error: type[SendFailed]
) -> None:
    async with mail_server(**answers) as served:
        with pytest.raises(error):
            await email.check(HTTP, credentials(served.address))


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
