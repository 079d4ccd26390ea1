"""One connection to an SMTP server, and what it means when the server says no or says nothing.

Django and smtplib do the talking. What is added: the connection is made by somebody else, answers have an end, and
whenever the talk breaks off it is known whether the server can have the mail.
"""

import smtplib
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, BinaryIO

from django.core.mail import EmailMessage
from django.core.mail.backends.smtp import EmailBackend

from apps.channels.errors import AccountRejected, OutcomeUnknown, SendFailed, Transient
from apps.channels.hiding import without

_MOST_ANSWER_BYTES = 64 * 1024
# Asks for the content. After no other answer is it written.
_GO_ON = 354
_CLOSING = 421


class Security(StrEnum):
    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Server:
    host: str
    port: int
    security: Security
    username: str = ""
    password: str = field(default="", repr=False)


class Stage(StrEnum):
    """What the server was asked to take when it said no."""

    ACCOUNT = "account"
    SENDER = "sender"
    RECIPIENT = "recipient"
    CONTENT = "content"


class Refusal(Exception):
    """The server said no, with a code from 400 to 599."""

    def __init__(self, stage: Stage, code: int, words: str) -> None:
        super().__init__(stage, code, words)
        self.stage = stage
        self.code = code
        self.words = words


class HungUp(Transient):
    """The server ended the talk before it had any of the mail: over another connection it may take it."""


def unreachable(detail: str) -> Transient:
    return Transient("unreachable", detail)


class Line:
    """`open` is asked before each mail; whoever is done with the line hangs up, and may do so twice."""

    def __init__(self, server: Server, connected: socket.socket) -> None:
        self.server = server
        self.idle_since = 0.0
        self._connected = connected
        # TLS takes a socket away from whoever holds it. This one stays ours, to cut the connection with.
        self._handle = connected.dup()
        self._session: _Session | None = None
        self._backend = _Backend(
            self._new_session,
            host=server.host,
            port=server.port,
            username=server.username,
            password=server.password,
            use_tls=server.security is Security.STARTTLS,
            use_ssl=False,
            # A client's certificate is the installation's own, for its own mail.
            ssl_keyfile="",
            ssl_certfile="",
        )

    @property
    def is_open(self) -> bool:
        """Logged in, and not known to be broken."""
        return self._backend.connection is not None and self._backend.connection.sock is not None

    def open(self) -> None:
        """Up to where the server takes mails."""
        try:
            if self.server.security is Security.TLS and self._session is None:
                tls = self._backend.ssl_context
                self._connected = tls.wrap_socket(self._connected, server_hostname=self.server.host)
            self._backend.open()
        except (smtplib.SMTPConnectError, smtplib.SMTPHeloError, smtplib.SMTPAuthenticationError) as error:
            raise self._said_no(Stage.ACCOUNT, error.smtp_code, error.smtp_error) from error
        except ssl.SSLCertVerificationError as error:
            raise unreachable(f"the certificate is refused: {error.verify_message}") from error
        except (OSError, ValueError) as error:
            # Of smtplib's own: no STARTTLS, no AUTH, or none of the ways to log in that we know.
            if type(error) in {smtplib.SMTPNotSupportedError, smtplib.SMTPException}:
                raise AccountRejected("not_supported", str(error)) from error
            raise unreachable("the connection broke before any mail was sent") from error

    def send(self, message: EmailMessage) -> None:
        assert self._session is not None
        self._session.has_content = False
        try:
            self._backend.send_messages([message])
        except smtplib.SMTPSenderRefused as error:
            raise self._said_no(Stage.SENDER, error.smtp_code, error.smtp_error) from error
        except smtplib.SMTPRecipientsRefused as error:
            ((code, words),) = error.recipients.values()
            raise self._said_no(Stage.RECIPIENT, code, words) from error
        except smtplib.SMTPDataError as error:
            raise self._said_no(Stage.CONTENT, error.smtp_code, error.smtp_error) from error
        except OSError as error:
            raise self._broke() from error

    def ask_whether_it_listens(self) -> None:
        assert self._session is not None
        try:
            self._session.noop()
        except OSError as error:
            raise self._broke() from error

    def cut(self) -> None:
        """From another thread: whatever is being said or waited for ends now."""
        with suppress(OSError):
            self._handle.shutdown(socket.SHUT_RDWR)

    def hang_up(self) -> None:
        if self._session is not None:
            if self.is_open:
                with suppress(smtplib.SMTPServerDisconnected):
                    self._session.putcmd("quit")  # and not a word is waited for
            self._session.close()
        self._connected.close()
        self._handle.close()

    def _new_session(self, *arguments: Any, **options: Any) -> "_Session":
        self._session = _Session(self._connected, *arguments, **options)
        return self._session

    @property
    def _has_content(self) -> bool:
        return self._session is not None and self._session.has_content

    def _said_no(self, stage: Stage, code: int, words: bytes | str) -> Exception:
        if not 400 <= code < 600:
            return self._broke()
        text = " ".join((words.decode(errors="replace") if isinstance(words, bytes) else words).split())
        text = without(text.encode(), [self.server.password]).decode()
        if code == _CLOSING and not self._has_content:
            return HungUp(str(code), text)
        return Refusal(stage, code, text)

    def _broke(self) -> SendFailed:
        """No answer, or one that is none: after that nobody knows what the next one answers."""
        if self._session is not None:
            self._session.close()
        if self._has_content:
            return OutcomeUnknown("no_answer", "The connection broke after the mail was written.")
        return HungUp("unreachable", "The connection broke before the mail was written.")


class _Session(smtplib.SMTP):
    def __init__(self, connected: socket.socket, *arguments: Any, **options: Any) -> None:
        self._connected = connected
        # Whether the server was given the content of a mail, or some of it.
        self.has_content = False
        super().__init__(*arguments, **options)

    def _get_socket(self, *_: object) -> socket.socket:
        return self._connected

    def getreply(self) -> tuple[int, bytes]:
        if self.file is None and self.sock is not None:
            self.file = _Answers(self.sock.makefile("rb"))
        if self.file is not None:
            self.file.room = _MOST_ANSWER_BYTES
        code, words = super().getreply()
        self.has_content |= code == _GO_ON
        return code, words


class _Answers:
    """What the server says, up to a limit that no honest answer comes near; there it ends, for smtplib."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.room = 0

    def readline(self, most: int) -> bytes:
        line = self._stream.readline(min(most, self.room))
        self.room -= len(line)
        return line

    def close(self) -> None:
        self._stream.close()


class _Backend(EmailBackend):
    """Django's, with sessions that somebody else starts."""

    def __init__(self, new_session: Callable[..., _Session], **options: Any) -> None:
        super().__init__(**options)
        self._new_session = new_session

    @property
    def connection_class(self) -> Any:
        return self._new_session
