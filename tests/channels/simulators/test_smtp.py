"""The simulated mail server, as smtplib sees it."""

import asyncio
import smtplib
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from email.message import EmailMessage
from typing import Any

import pytest

from apps.channels.simulators.delays import Delays
from apps.channels.simulators.faults import Faults, parse_faults
from apps.channels.simulators.smtp import Smtp
from apps.channels.simulators.tally import Tally
from local.ports import free_port
from tests.channels.simulators.stage import receiving, until
from tests.channels.simulators.test_program import running

ANA, BIA = "ana@cliente.example", "bia@cliente.example"


@asynccontextmanager
async def mail_server(*faults: dict[str, Any]) -> AsyncIterator[tuple[int, Tally]]:
    tally, ordered = Tally(100), Faults()
    ordered.replace(parse_faults(list(faults)))
    async with Smtp(ordered, Delays(), tally).serving("127.0.0.1", 0) as port:
        yield port, tally


def mail(to: str = ANA, message_id: str = "<m-1@aurora.example>") -> EmailMessage:
    made = EmailMessage()
    made["From"], made["To"], made["Message-ID"], made["Subject"] = "a@aurora.example", to, message_id, "Olá"
    made.set_content("Seu pão está pronto.\n.\n")
    return made


async def talk[T](port: int, say: Callable[[smtplib.SMTP], T], user: str = "padaria") -> T:
    def work() -> T:
        session = smtplib.SMTP("127.0.0.1", port, timeout=5)
        try:
            if user:
                session.login(user, "password")
            return say(session)
        finally:
            session.close()

    return await asyncio.to_thread(work)


async def test_mails_are_taken_and_counted() -> None:
    def say(session: smtplib.SMTP) -> None:
        session.send_message(mail())
        session.send_message(mail(BIA, "<m-2@aurora.example>"))
        session.send_message(mail())

    async with mail_server() as (port, tally):
        await talk(port, say)
    assert (tally.accepted, tally.requests, tally.summary()["doubled"]) == (3, 3, {"<m-1@aurora.example>": 2})
    assert tally.entries()[1][1:] == (
        "smtp", "padaria", BIA, "<m-2@aurora.example>", "Seu pão está pronto.\n.",
    )  # fmt: skip


async def test_nobody_has_to_log_in() -> None:
    async with mail_server() as (port, tally):
        await talk(port, lambda session: session.send_message(mail()), user="")
    assert tally.entries()[0][2] == ""


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("rate_limited", 450),
        ("pair_rate_limited", 450),
        ("server_error", 451),
        ("blocked", 550),
        ("opted_out", 550),
        ("invalid_token", 530),
    ],
)
async def test_refused_mail_is_not_counted_as_taken(kind: str, code: int) -> None:
    async with mail_server({"kind": kind, "to": ANA}) as (port, tally):
        with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
            await talk(port, lambda session: session.send_message(mail()))
        assert refused.value.recipients[ANA][0] == code
        await talk(port, lambda session: session.send_message(mail(BIA)))
    assert (tally.accepted, tally.refused) == (1, {kind: 1})


@pytest.mark.parametrize(("kind", "code"), [("invalid_token", 535), ("server_error", 454), ("rate_limited", 454)])
async def test_account_in_trouble_shows_it_at_the_log_in(kind: str, code: int) -> None:
    async with mail_server({"kind": kind, "account": "padaria", "times": 1}) as (port, _):
        with pytest.raises(smtplib.SMTPAuthenticationError) as refused:
            await talk(port, smtplib.SMTP.noop)
        assert refused.value.smtp_code == code
        assert (await talk(port, smtplib.SMTP.noop))[0] == 250


@pytest.mark.parametrize(("kind", "accepted"), [("cut_before", 0), ("cut_after", 1)])
async def test_connection_is_cut(kind: str, accepted: int) -> None:
    async with mail_server({"kind": kind, "to": ANA}) as (port, tally):
        with pytest.raises(smtplib.SMTPServerDisconnected):
            await talk(port, lambda session: session.send_message(mail()))
    assert (tally.accepted, tally.cut) == (accepted, 1)


async def test_connection_is_cut_at_the_log_in() -> None:
    async with mail_server({"kind": "cut_before"}) as (port, _):
        with pytest.raises(smtplib.SMTPServerDisconnected):
            await talk(port, smtplib.SMTP.noop)


async def test_slow_answer_comes_after_the_mail_is_counted() -> None:
    async with mail_server({"kind": "slow", "seconds": 0.3, "to": ANA}) as (port, tally):
        sending = asyncio.create_task(talk(port, lambda session: session.send_message(mail())))
        await until(lambda: tally.accepted == 1)
        assert not sending.done()
        await sending


async def test_server_that_is_stopped_leaves_nobody_waiting() -> None:
    async with mail_server({"kind": "slow", "seconds": 60, "to": ANA}) as (port, tally):
        sending = asyncio.create_task(talk(port, lambda session: session.send_message(mail())))
        await until(lambda: tally.accepted == 1)
    with pytest.raises(smtplib.SMTPServerDisconnected):
        await asyncio.wait_for(sending, 2)


async def test_mails_are_taken_beside_the_other_providers() -> None:
    port = free_port()
    async with receiving() as receiver, running(receiver, "--smtp-port", str(port)) as (stage, _program):
        await stage.order({"kind": "blocked", "provider": "smtp", "to": BIA})
        await talk(port, lambda session: session.send_message(mail()))
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            await talk(port, lambda session: session.send_message(mail(BIA)))
        assert (await stage.whatsapp()).status == 200
        assert await stage.received(ANA) == ["<m-1@aurora.example>"]


async def test_program_needs_no_mail_server_to_play_the_rest() -> None:
    code = "import sys, apps.channels.simulators.__main__; sys.exit('aiosmtpd' in sys.modules)"
    program = await asyncio.create_subprocess_exec(sys.executable, "-c", code)
    assert await asyncio.wait_for(program.wait(), 10) == 0
