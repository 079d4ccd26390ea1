"""Files in messages that are accepted: within them, as links, or refused; whose they are, and what that costs."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from apps.channels.content import MediaKind
from apps.channels.models import ChannelAccount
from apps.core import clock
from apps.core.ids import new_id
from apps.files.models import File
from apps.files.sent_links import LinkExpired, read_token
from apps.messaging.engine.accept import accept
from apps.messaging.engine.new_message import Accepted, Answer, NewMessage, Refused, SendAs, WantedFile
from apps.messaging.models import Message
from tests.cast import Api, House, with_key
from tests.messaging.desk import ANA, open_account
from tests.messaging.files.kept import row

pytestmark = pytest.mark.django_db

MEGABYTE = 1024 * 1024
ADDRESSES = {
    "whatsapp_cloud": ANA,
    "evolution": ANA,
    "sms": ANA,
    "instagram": "17841400000000001",
    "telegram": "7012345601",
    "email": "ana@cliente.example",
    "webhook": "https://hooks.example/in",
}
AUTO, ATTACHMENT, LINK = SendAs
TOO_LARGE, NOT_CARRIED = ("media/file_id", "too_large"), ("media/kind", "not_carried")


def ask(house: House, connector: str, file: File, send_as: SendAs = AUTO, **values: Any) -> Answer:
    known = ChannelAccount.objects.for_organization(house.organization).filter(connector=connector).first()
    account = known or open_account(house, connector)
    wanted = WantedFile(file.id, values.pop("kind", None), values.pop("file_name", ""), send_as)
    message = NewMessage(account_id=account.id, to=ADDRESSES[connector], file=wanted, **values)
    (answer,) = accept(house.organization, [message])
    return answer


def refusal(answer: Answer) -> tuple[str, str]:
    assert isinstance(answer, Refused)
    return answer.field, answer.code


def way_of(answer: Answer) -> Any:
    """How the file goes."""
    if isinstance(answer, Refused):
        return answer.field, answer.code
    assert answer.content.media is None or not answer.content.text
    return answer.content.media.kind if answer.content.media else LINK


@pytest.mark.parametrize(
    ("connector", "media_type", "size", "send_as", "expected"),
    [
        ("whatsapp_cloud", "image/jpeg", 5 * MEGABYTE, AUTO, MediaKind.IMAGE),
        ("whatsapp_cloud", "image/jpeg", 5 * MEGABYTE + 1, AUTO, LINK),
        ("whatsapp_cloud", "image/jpeg", 5 * MEGABYTE + 1, ATTACHMENT, TOO_LARGE),
        ("whatsapp_cloud", "image/jpeg", 1, LINK, LINK),
        ("whatsapp_cloud", "audio/ogg", 16 * MEGABYTE, ATTACHMENT, MediaKind.AUDIO),
        ("whatsapp_cloud", "application/pdf", 100 * MEGABYTE, AUTO, MediaKind.DOCUMENT),
        ("whatsapp_cloud", "application/pdf", 101 * MEGABYTE, AUTO, LINK),
        ("evolution", "video/mp4", 16 * MEGABYTE, AUTO, MediaKind.VIDEO),
        ("evolution", "video/mp4", 17 * MEGABYTE, AUTO, LINK),
        ("instagram", "image/png", 8 * MEGABYTE, AUTO, MediaKind.IMAGE),
        ("instagram", "application/pdf", 1, AUTO, LINK),
        ("instagram", "application/pdf", 1, ATTACHMENT, NOT_CARRIED),
        ("sms", "image/png", 5 * MEGABYTE, AUTO, MediaKind.IMAGE),
        ("sms", "video/mp4", 1, AUTO, LINK),
        ("sms", "video/mp4", 1, ATTACHMENT, NOT_CARRIED),
        ("telegram", "image/png", 10 * MEGABYTE, AUTO, MediaKind.IMAGE),
        ("telegram", "image/png", 10 * MEGABYTE + 1, AUTO, LINK),
        ("telegram", "video/mp4", 50 * MEGABYTE, ATTACHMENT, MediaKind.VIDEO),
        ("telegram", "video/mp4", 50 * MEGABYTE + 1, ATTACHMENT, TOO_LARGE),
        ("telegram", "application/x-unheard-of", 1, AUTO, MediaKind.DOCUMENT),
        ("email", "application/pdf", 10 * MEGABYTE, AUTO, MediaKind.DOCUMENT),
        ("email", "application/pdf", 10 * MEGABYTE + 1, AUTO, LINK),
        ("webhook", "video/mp4", 2048 * MEGABYTE, AUTO, MediaKind.VIDEO),
    ],
)
def test_file_goes_as_its_channel_carries_it(
    aurora: House, connector: str, media_type: str, size: int, send_as: SendAs, expected: Any
) -> None:
    file = row(aurora.organization, size, media_type=media_type)
    assert way_of(ask(aurora, connector, file, send_as)) == expected


def test_what_is_known_of_the_file_is_stored_with_its_message(aurora: House) -> None:
    file = row(aurora.organization, 4711, "conta.pdf")
    answer = ask(aurora, "whatsapp_cloud", file, text="Sua conta")
    assert isinstance(answer, Accepted)
    message = Message.across_organizations.get(pk=answer.id)
    assert (message.text, message.content["media"]) == (
        "Sua conta",
        {
            "kind": "document",
            "url": "",
            "file_name": "conta.pdf",
            "media_type": "application/pdf",
            "file_id": str(file.id),
            "size": 4711,
        },
    )
    file.refresh_from_db()
    assert file.is_used


def test_what_its_sender_says_of_it_wins(aurora: House) -> None:
    file = row(aurora.organization, 7 * MEGABYTE, "foto.jpg", "image/jpeg")
    answer = ask(aurora, "whatsapp_cloud", file, kind=MediaKind.DOCUMENT, file_name="Sua foto.jpg")
    assert isinstance(answer, Accepted)
    assert answer.content.media is not None
    assert (answer.content.media.kind, answer.content.media.file_name) == (MediaKind.DOCUMENT, "Sua foto.jpg")


@pytest.mark.parametrize("days_ahead", [0, 30])
def test_link_follows_the_text_and_is_good_for_days_after_it_is_due(
    aurora: House, settings: Settings, monkeypatch: pytest.MonkeyPatch, days_ahead: int
) -> None:
    settings.PUBLIC_URL = "https://recado.example"
    file = row(aurora.organization, 1)
    due = clock.now() + timedelta(days=days_ahead)
    answer = ask(aurora, "sms", file, text="Sua conta", scheduled_at=due if days_ahead else None)
    assert isinstance(answer, Accepted)
    words, _, link = answer.content.text.partition("\n")
    assert (words, answer.content.is_plain) == ("Sua conta", True)
    token = link.removeprefix("https://recado.example/f/")
    assert len(token) < 80
    monkeypatch.setattr(clock, "now", lambda: due + timedelta(days=6.99))
    assert read_token(token) == file.id
    monkeypatch.setattr(clock, "now", lambda: due + timedelta(days=7.01))
    with pytest.raises(LinkExpired):
        read_token(token)


def test_link_needs_room_beside_the_text(aurora: House) -> None:
    file = row(aurora.organization, 1, media_type="video/mp4")
    bare = ask(aurora, "sms", file)
    assert isinstance(bare, Accepted)
    room = 1600 - len(bare.content.text) - 1
    assert isinstance(ask(aurora, "sms", file, text="x" * room), Accepted)
    refused = ask(aurora, "sms", file, text="x" * (room + 1))
    assert refusal(refused) == ("text", "too_long")
    assert str(room) in refused.detail  # type: ignore[union-attr]


def test_refusal_says_how_much_is_carried_and_that_there_is_a_link(aurora: House) -> None:
    large = ask(aurora, "email", row(aurora.organization, 12 * MEGABYTE), ATTACHMENT)
    strange = ask(aurora, "sms", row(aurora.organization, 1), ATTACHMENT)
    assert isinstance(large, Refused)
    assert isinstance(strange, Refused)
    assert "10 MB" in large.detail
    assert all("send_as" in refused.detail for refused in (large, strange))


def test_file_of_another_organization_is_none(aurora: House, boreal: House) -> None:
    theirs = row(boreal.organization, 1)
    assert refusal(ask(aurora, "whatsapp_cloud", theirs)) == ("media/file_id", "unknown_file")
    theirs.refresh_from_db()
    assert not theirs.is_used


def test_plain_texts_pay_nothing_and_files_the_same_however_many(aurora: House) -> None:
    account = open_account(aurora, "whatsapp_cloud")

    def statements(*files: File | None) -> list[str]:
        wanted = [NewMessage("Oi", account.id, ANA, file=WantedFile(file.id) if file else None) for file in files]
        with CaptureQueriesContext(connection) as captured:
            assert all(isinstance(answer, Accepted) for answer in accept(aurora.organization, wanted))
        return [sql for query in captured.captured_queries if '"file"' in (sql := query["sql"] or "")]

    assert statements(None) == statements(None, None) == []
    few = statements(*(row(aurora.organization, 1) for _ in range(2)))
    many = statements(*(row(aurora.organization, 1) for _ in range(20)))
    assert 0 < len(few) == len(many) <= 3


# Over the API


@pytest.fixture
def api(aurora: House) -> Api:
    return with_key(aurora.organization)


def test_api_takes_a_file_and_refuses_one_that_is_none(aurora: House, api: Api) -> None:
    account = open_account(aurora, "whatsapp_cloud")
    to = {"account_id": str(account.id), "to": ANA}
    file = row(aurora.organization, 1)
    taken = api.post("/v1/messages", {**to, "media": {"file_id": str(file.id)}})
    assert taken.status_code == 202
    assert taken.json()["content"]["media"]["file_id"] == str(file.id)
    refused = api.post("/v1/messages", {**to, "media": {"file_id": str(new_id())}})
    assert refused.status_code == 400
    (error,) = refused.json()["errors"]
    assert (error["pointer"], error["code"]) == ("/media/file_id", "unknown_file")


def test_batch_names_the_messages_whose_files_are_none(aurora: House, boreal: House, api: Api) -> None:
    account = open_account(aurora, "whatsapp_cloud")
    known, theirs = row(aurora.organization, 1), row(boreal.organization, 1)
    media = [{"file_id": str(each)} for each in (known.id, new_id(), theirs.id)]
    text = {"account_id": str(account.id), "to": ANA, "text": "Oi"}
    messages = [text, *({**text, "media": each} for each in media)]
    answer = api.post("/v1/messages/batch", {"messages": messages}).json()
    assert [each["index"] for each in answer["accepted"]] == [0, 1]
    assert [each["errors"][0]["pointer"] for each in answer["refused"]] == [
        "/messages/2/media/file_id",
        "/messages/3/media/file_id",
    ]
    assert {each["errors"][0]["code"] for each in answer["refused"]} == {"unknown_file"}
