"""Files in messages that leave: what providers get, and what it costs."""

import hashlib
import time
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.channels.content import Button, Content, MediaKind
from apps.channels.registry import connector
from apps.core.redis import redis_client
from apps.files.stores import links
from apps.files.stores.disk import DiskStore
from apps.files.stores.store import Download
from apps.messaging.engine import deliver
from apps.messaging.engine.gate import Gate
from apps.messaging.engine.new_message import SendAs
from apps.messaging.engine.take import take
from apps.messaging.models import Message
from tests.files.bringing import keep
from tests.messaging.desk import ANA, BIA
from tests.messaging.files.conftest import OpenDesk
from tests.messaging.files.kept import PDF, row
from tests.messaging.files.office import CHAT, LARGE, drain_to_mailbox, received, send, uploads
from tests.messaging.provider import Provider

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("content", "name", "kind"),
    [
        (PDF, "conta.pdf", None),
        (LARGE, "fotos de março 🥖.zip", None),
        (b"\x89PNG\r\n\x1a\n" + PDF, "pão.png", None),
        (b"plain", "a; name='b' 100%.txt", None),
        (PDF, "voz.ogg", MediaKind.AUDIO),
        (PDF, "filme.mp4", MediaKind.VIDEO),
    ],
    ids=["document", "large", "image", "quotes", "audio", "video"],
)
def test_telegram_gets_the_file_itself(
    open_desk: OpenDesk, provider: Provider, content: bytes, name: str, kind: MediaKind | None
) -> None:
    desk = open_desk("telegram")
    file = keep(desk.organization, content, name)
    message = send(desk, file, "Sua conta", CHAT, kind=kind, file_name=name)
    assert desk.drain()["sent"] == 1
    assert desk.status(message) == "sent"
    (upload,) = uploads(provider)
    assert (upload["size"], upload["sha256"], upload["to"]) == (len(content), file.sha256, CHAT)
    assert (upload["name"], upload["media_type"]) == (name, file.media_type)
    assert received(provider) == [f"upload:{hashlib.sha256(content).hexdigest()}\nSua conta"]


def test_telegram_gets_a_file_with_buttons_and_without_words(open_desk: OpenDesk, provider: Provider) -> None:
    desk = open_desk("telegram")
    file = keep(desk.organization, PDF, "conta.pdf")
    message = send(desk, file, to=CHAT, content=Content(buttons=(Button("paid", "Já paguei"),)))
    desk.drain()
    assert desk.status(message) == "sent"
    assert received(provider) == [f"upload:{file.sha256}"]


def test_mail_has_the_file_attached(open_desk: OpenDesk) -> None:
    desk = open_desk("email")
    file = keep(desk.organization, PDF, "conta de março.pdf")
    message = send(desk, file, "Sua conta", "ana@cliente.example")
    (mail,) = drain_to_mailbox(desk)
    assert desk.status(message) == "sent"
    (attached,) = mail.iter_attachments()
    assert (attached.get_filename(), attached.get_content_type()) == ("conta de março.pdf", "application/pdf")
    assert attached.get_payload(decode=True) == PDF


def test_whatsapp_gets_a_link_that_is_good_for_an_hour(open_desk: OpenDesk, provider: Provider) -> None:
    desk = open_desk("whatsapp_cloud")
    file = keep(desk.organization, PDF, "conta.pdf")
    message = send(desk, file, "Sua conta")
    desk.drain()
    assert desk.status(message) == "sent"
    (said,) = received(provider)
    words, _, link = said.removesuffix("]").partition(" [document ")
    assert words == "Sua conta"
    download = links.read_download(link.rpartition("/")[2])
    assert (download.key, download.file_name, download.seconds) == (file.key, "conta.pdf", 3600)
    # None in the database: it would have expired before anybody reads it.
    assert Message.across_organizations.get(pk=message).content["media"]["url"] == ""


def test_link_in_a_text_leaves_as_it_was_accepted(open_desk: OpenDesk, provider: Provider) -> None:
    desk = open_desk("whatsapp_cloud")
    message = send(desk, row(desk.organization, 1), "Sua conta", send_as=SendAs.LINK)
    desk.drain()
    (said,) = received(provider)
    assert said == Message.across_organizations.get(pk=message).text
    assert said.startswith("Sua conta\nhttp")


# Cost


def test_link_is_signed_once_for_a_campaign(
    open_desk: OpenDesk, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed: list[str] = []

    def sign(_: DiskStore, download: Download) -> str:
        signed.append(download.key)
        return links.sign_download(download)

    monkeypatch.setattr(DiskStore, "sign_download", sign)
    desk = open_desk("whatsapp_cloud")
    file = keep(desk.organization)
    for n in range(30):
        send(desk, file, to=f"+55119{40_000_000 + n}")
    assert desk.drain()["sent"] == 30
    # Two, where the first was as old as links are given away.
    assert signed in ([file.key], [file.key] * 2)
    assert len(received(provider)) == 30


def test_files_of_a_batch_are_looked_up_once_and_texts_never(open_desk: OpenDesk) -> None:
    desk = open_desk("whatsapp_cloud")

    def looked_up() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert take(desk.account, Gate(redis_client()), 50).ready
        return sum('FROM "file"' in (query["sql"] or "") for query in captured.captured_queries)

    desk.accept("Oi", to=ANA)
    assert looked_up() == 0
    for n in range(10):
        send(desk, keep(desk.organization), to=f"+55119{50_000_000 + n}")
    desk.accept("Oi", to=BIA)
    assert looked_up() == 1


def test_many_files_keep_nobody_waiting(
    open_desk: OpenDesk, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = open_desk("telegram")
    file = keep(desk.organization, LARGE)
    telegram = connector("telegram")
    at_once, most, hand_over = 0, 0, telegram.send

    async def watched(client: Any, outbound: Any) -> str:
        nonlocal at_once, most
        at_once += outbound.file is not None
        most = max(most, at_once)
        try:
            return await hand_over(client, outbound)
        finally:
            at_once -= outbound.file is not None

    monkeypatch.setattr(telegram, "send", watched)
    messages = [send(desk, file, to=f"70123{n:05}") for n in range(16)]
    (text,) = desk.accept("Oi", to=CHAT)
    provider.delay(latency=0.1)
    tally = desk.drain()
    assert (desk.status(text), most) == ("sent", deliver.UPLOADS_AT_ONCE)
    assert tally["returned"] > 0
    ends = time.monotonic() + 20
    while desk.waiting() and time.monotonic() < ends:
        desk.let_pass(10)
        desk.drain()
    assert desk.statuses(messages) == ["sent"] * 16
    assert len(uploads(provider)) == 16
    # That they waited is nobody's failure, and no attempt of theirs.
    assert {kind for message in messages for kind in desk.story(message)} == {"queued", "sending", "sent"}
