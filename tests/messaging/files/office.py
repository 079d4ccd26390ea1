"""What tests of leaving files have in common."""

from email.message import EmailMessage
from typing import Any
from uuid import UUID

import httpx
import orjson

from apps.files.models import File
from apps.messaging.engine.deliver import drain
from apps.messaging.engine.loop import Loop
from apps.messaging.engine.new_message import WantedFile
from apps.messaging.models import Message
from tests.channels.loopback_mail import MailServer, mail_server
from tests.channels.mails import read
from tests.messaging.desk import ANA, Desk
from tests.messaging.provider import Provider

CHAT = "7012345601"
LARGE = bytes(range(256)) * 4 * 1024 * 6 + b"end"


def send(desk: Desk, file: File, text: str = "", to: str = ANA, **said: Any) -> UUID:
    """What is said of the file, and what of the message."""
    of_file = {name: said.pop(name) for name in ("kind", "file_name", "send_as") if name in said}
    (message,) = desk.accept(text, to=to, file=WantedFile(file.id, **of_file), **said)
    return message


def received(provider: Provider) -> list[str]:
    """What the messages said that the provider took."""
    answer = httpx.get(f"{provider.url}/control/received", trust_env=False)
    return [orjson.loads(line)["text"] for line in answer.content.splitlines()]


def uploads(provider: Provider) -> list[dict[str, Any]]:
    """The files that came to it."""
    found: list[dict[str, Any]] = httpx.get(f"{provider.url}/control/uploads", trust_env=False).json()
    return found


def error_of(message: UUID) -> tuple[str, str]:
    found = Message.across_organizations.get(pk=message)
    return found.error_class, found.error_code


def drain_to_mailbox(desk: Desk) -> list[EmailMessage]:
    """The mails that a server got from a drain."""

    async def serve(loop: Loop) -> MailServer:
        async with mail_server() as server:
            credentials = {"server": server.address, "security": "none"}
            await loop.in_database(desk.change, credentials=credentials)
            await drain(loop, desk.account.id)
            return server

    return [read(mail) for mail in desk.loop.run(serve).mails]
