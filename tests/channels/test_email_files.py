"""Files that are attached to mails."""

import pytest

from apps.channels.connectors.email import Email
from apps.channels.content import Content, Media, MediaKind
from apps.channels.errors import MessageRejected, Transient
from tests.channels.given_files import PDF, GivenFile
from tests.channels.loopback_mail import mail_server
from tests.channels.mails import fail, mail_of, outbound, text_of

CONTENT = Content("Sua conta", media=Media(MediaKind.DOCUMENT, ""))


@pytest.mark.parametrize(
    ("name", "media_type", "arrived"),
    [
        ("conta de março.pdf", "application/pdf", ("conta de março.pdf", "application/pdf")),
        ("conta.html", "text/html", ("conta.html", "application/octet-stream")),
        ('a"\r\nBcc: b@c.example', "application/pdf", ("a___Bcc_ b@c.example", "application/pdf")),
        ("..", "application/pdf", ("file.pdf", "application/pdf")),
    ],
)
async def test_file_is_attached_under_a_safe_name_and_type(
    email: Email, name: str, media_type: str, arrived: tuple[str, str]
) -> None:
    mail = await mail_of(email, CONTENT, file=GivenFile(PDF, name, media_type).outbound())
    (attached,) = mail.iter_attachments()
    assert (attached.get_filename(), attached.get_content_type()) == arrived
    assert attached.get_payload(decode=True) == PDF
    assert text_of(mail).strip() == "Sua conta"
    assert mail["Bcc"] is None


async def test_file_as_large_as_mails_carry_is_attached_and_a_larger_one_is_not(email: Email) -> None:
    largest = bytes(10 * 1024 * 1024)
    mail = await mail_of(email, CONTENT, file=GivenFile(largest).outbound())
    (attached,) = mail.iter_attachments()
    assert attached.get_payload(decode=True) == largest
    async with mail_server() as served:
        failed = await fail(email, outbound(served, CONTENT, file=GivenFile(largest + b"x").outbound()))
    assert (type(failed), failed.code, served.connections) == (MessageRejected, "media_too_large", 0)


async def test_file_that_cannot_be_had_keeps_its_mail_from_being_sent(
    email: Email, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = GivenFile(error=Transient("file_unavailable", "", blames_provider=False))
    slow = GivenFile(seconds=60)
    monkeypatch.setattr("django.conf.settings.OUTBOUND_SECONDS", 0.3)
    for given, code in ((away, "file_unavailable"), (slow, "media_unreachable")):
        async with mail_server() as served:
            failed = await fail(email, outbound(served, CONTENT, file=given.outbound()))
        assert (type(failed), failed.code, served.connections) == (Transient, code, 0)
        assert not failed.blames_provider
        assert given.is_closed
