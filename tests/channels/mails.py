"""Mails to send, the connector that sends them, and how they arrive."""

import socket
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest

from apps.channels.connector import Outbound
from apps.channels.connectors.email import Email
from apps.channels.content import Content
from apps.channels.errors import SendFailed
from tests.cast import CREDENTIALS
from tests.channels.connector_suite import MESSAGE_ID, TEXT
from tests.channels.loopback_mail import MailServer, mail_server
from tests.channels.loopback_provider import client

ANA = "ana@cliente.example"
OUR_ID = f"<{MESSAGE_ID}@aurora.example>"
# Mails have no use for it, and each would take a while to make.
HTTP = client()


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


def unused() -> str:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return f"127.0.0.1:{free.getsockname()[1]}"
