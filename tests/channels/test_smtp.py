"""SMTP servers on this machine that refuse, break off, keep silent and cheat; and the connections to good ones."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pytest_django import Settings

from apps.channels import smtp
from apps.channels.connector import Outbound
from apps.channels.connectors.email import Email
from apps.channels.content import Content
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
from apps.channels.simulators.faults import Faults
from apps.channels.simulators.smtp import Smtp
from apps.channels.simulators.tally import Tally
from apps.channels.smtp_line import HungUp
from apps.core.ids import new_id
from tests.cast import CREDENTIALS
from tests.channels.connector_suite import MESSAGE_ID, TEXT
from tests.channels.loopback_mail import (
    CONTENT,
    GREETING,
    Answer,
    drips,
    hangs_up,
    mail_server,
    never_ends,
    stays_silent,
)
from tests.channels.mails import (
    ANA,
    HTTP,
    OUR_ID,
    credentials,
    fail,
    outbound,
    read,
    send,
    unused,
)
from tests.core.test_guarded_http import Certified, Names

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
    # What is said of one mailbox says nothing of the server.
    assert failed.blames_provider is (error is Transient and command != "RCPT")


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
