"""What may be said of a file that a message brings."""

from typing import Any
from uuid import UUID

import pytest

from apps.channels.content import Content, MediaKind
from apps.messaging.api.bodies import read_message
from apps.messaging.api.schema import NewMessageBody
from apps.messaging.engine.new_message import NewMessage, SendAs, WantedFile

ID = "0199f3a2-7c1e-7d3b-9a54-2f6c8e1b4d70"
URL = "https://files.example/a.pdf"
TO = {"account_id": ID, "to": "+5511912345601"}


def mistakes(media: Any) -> list[tuple[str, str]]:
    read = read_message({**TO, "media": media})
    return [(each.field, each.code) for each in read] if isinstance(read, list) else []


def test_file_is_named_by_its_id_alone() -> None:
    read = read_message({**TO, "media": {"file_id": ID}})
    assert isinstance(read, NewMessage)
    assert (read.file, read.says()) == (WantedFile(UUID(ID)), Content())


def test_file_is_read_with_all_that_is_said_of_it() -> None:
    media = {"file_id": ID, "kind": "document", "file_name": "conta.pdf", "send_as": "link"}
    buttons = [{"id": "yes", "title": "Sim"}]
    read = read_message({**TO, "text": "Sua conta", "media": media, "buttons": buttons})
    assert isinstance(read, NewMessage)
    assert read.file == WantedFile(UUID(ID), MediaKind.DOCUMENT, "conta.pdf", SendAs.LINK)
    assert (read.says().text, read.says().media, len(read.says().buttons)) == ("Sua conta", None, 1)


@pytest.mark.parametrize(
    ("media", "expected"),
    [
        ({}, ("media/url", "required")),
        ({"kind": "image"}, ("media/url", "required")),
        ({"url": URL}, ("media/kind", "required")),
        ({"url": URL, "kind": "document", "file_id": ID}, ("media", "conflicting")),
        ({"url": URL, "kind": "document", "send_as": "auto"}, ("media/send_as", "conflicting")),
        ({"file_id": ID, "media_type": "application/pdf"}, ("media/media_type", "conflicting")),
        ({"file_id": "conta.pdf"}, ("media/file_id", "invalid")),
        ({"file_id": None}, ("media/file_id", "wrong_type")),
        ({"file_id": ID, "kind": "folder"}, ("media/kind", "invalid_choice")),
        ({"file_id": ID, "send_as": "pigeon"}, ("media/send_as", "invalid_choice")),
        ({"file_id": ID, "file_name": "../conta"}, ("media/file_name", "invalid")),
        ({"file_id": ID, "size": 7}, ("media/size", "unknown_field")),
    ],
)
def test_what_is_wrong_with_media_is_said(media: Any, expected: tuple[str, str]) -> None:
    assert mistakes(media) == [expected]


@pytest.mark.parametrize("media", [{"file_id": ID, "send_as": "attachment"}, {"url": URL, "kind": "document"}])
def test_what_is_right_is_described_as_such(media: Any) -> None:
    assert mistakes(media) == []
    assert NewMessageBody(data={**TO, "media": media}).is_valid()
