"""A mail server that delivers to nobody: it takes mails, or refuses them as it was told to, and counts them."""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any
from weakref import WeakKeyDictionary

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from apps.channels.simulators.delays import Delays
from apps.channels.simulators.faults import Faults, Kind, Struck
from apps.channels.simulators.provider import pause
from apps.channels.simulators.tally import Tally

_NAME = "smtp"
_OK = "250 2.0.0 OK"
_NO_MAIL = {
    Kind.RATE_LIMITED: "450 4.7.1 Too many mails",
    Kind.PAIR_RATE_LIMITED: "450 4.2.1 This mailbox gets mails too fast",
    Kind.SERVER_ERROR: "451 4.3.0 Something went wrong",
    Kind.BLOCKED: "550 5.1.1 No such mailbox",
    Kind.OPTED_OUT: "550 5.7.1 This mailbox wants no mails of yours",
    Kind.INVALID_TOKEN: "530 5.7.0 Log in first",
    Kind.CUT_BEFORE: "",
}
_NO_LOG_IN = AuthResult(success=False, handled=False, message="454 4.7.0 Something went wrong")
_BAD_PASSWORD = AuthResult(success=False, handled=False, message="535 5.7.8 User name or password are wrong")


class Smtp:
    """Whoever logs in is an account; its name is the account's."""

    def __init__(
        self,
        faults: Faults,
        delays: Delays,
        tally: Tally,
        tls: ssl.SSLContext | None = None,
        *,
        is_tls_from_the_start: bool = False,
    ) -> None:
        self._faults = faults
        self._delays = delays
        self._tally = tally
        self._starttls = None if is_tls_from_the_start else tls
        self._tls = tls if is_tls_from_the_start else None
        self._connections: list[SMTP] = []
        # What the mails that are being taken suffer.
        self._struck: WeakKeyDictionary[Envelope, Struck] = WeakKeyDictionary()

    @asynccontextmanager
    async def serving(self, host: str, port: int) -> AsyncIterator[int]:
        """Yields the port; 0 is any that is free."""
        logging.getLogger("mail.log").setLevel(logging.ERROR)
        server = await asyncio.get_running_loop().create_server(self._answer, host, port, ssl=self._tls)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            for connection in self._connections:
                _cut(connection)
            await server.wait_closed()

    def _answer(self) -> SMTP:
        connection = SMTP(
            self,
            hostname="localhost",
            ident="Simulated mail server",
            tls_context=self._starttls,
            auth_require_tls=False,
            # A client whose password is refused would try another way with it, and count twice.
            auth_exclude_mechanism=["LOGIN"],
            authenticator=self._log_in,
            loop=asyncio.get_running_loop(),
        )
        self._connections = [each for each in self._connections if each.transport is not None]
        self._connections.append(connection)
        return connection

    def _log_in(self, server: SMTP, session: Session, _envelope: Envelope, _way: str, given: Any) -> AuthResult:
        name, password = (
            (each.decode(errors="replace") for each in (given.login, given.password))
            if isinstance(given, LoginPassword)
            else ("", "")
        )
        struck = self._faults.strike(_NAME, name, None, password)
        if struck.refusal is None:
            return AuthResult(success=True, auth_data=name)
        if struck.refusal.kind is Kind.CUT_BEFORE:
            _cut(server)
        return _BAD_PASSWORD if struck.refusal.kind is Kind.INVALID_TOKEN else _NO_LOG_IN

    # What aiosmtpd calls

    async def handle_RCPT(  # noqa: N802 - its name for it
        self, server: SMTP, session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        self._tally.requests += 1
        struck = self._faults.strike(_NAME, _account(session), address, "")
        if struck.refusal is None:
            envelope.rcpt_tos.append(address)
            self._struck[envelope] = struck
            return _OK
        kind = struck.refusal.kind
        await pause(self._delays.latency + struck.seconds)
        if kind is Kind.CUT_BEFORE:
            self._tally.cut += 1
            _cut(server)
        else:
            self._tally.refused[str(kind)] += 1
        return _NO_MAIL[kind]

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        struck = self._struck[envelope]
        content = envelope.content
        assert isinstance(content, bytes)
        mail = message_from_bytes(content, policy=policy.default)
        for address in envelope.rcpt_tos:
            self._tally.accept(_NAME, _account(session), address, mail.get("Message-ID", ""), _text(mail))
        await pause(self._delays.latency + struck.seconds)
        if Kind.CUT_AFTER in struck.kinds:
            self._tally.cut += 1
            _cut(server)
        return _OK


def _account(session: Session) -> str:
    return str(session.auth_data) if session.authenticated else ""


def _text(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    return "\n".join(body.get_content().splitlines()) if body is not None else ""


def _cut(connection: SMTP) -> None:
    if isinstance(connection.transport, asyncio.Transport):
        connection.transport.abort()
