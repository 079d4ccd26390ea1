"""A file that a person sent is fetched once, part by part, whatever dies meanwhile."""

import hashlib
import time
from itertools import pairwise
from typing import Any
from uuid import UUID

import orjson
import pytest

from apps.core.redis import redis_client
from apps.files.models import Upload, UploadWay
from apps.files.uploads import VERIFY
from apps.messaging.engine import media_parts
from apps.messaging.engine.fetch_media import TASK
from apps.messaging.engine.publish import publish_batch
from apps.messaging.models import EventCursor, FetchState, Message
from apps.realtime.stream import stream_of
from tests.cast import Api, House, as_member
from tests.files.pictures import picture
from tests.messaging.desk import open_account
from tests.messaging.media.file_server import FileServer
from tests.messaging.media.mailbox import (
    Mailbox,
    content_of,
    fetch_of,
    file_of,
    media_in,
    noise,
    story,
)

pytestmark = pytest.mark.django_db(transaction=True)


def published(organization_id: UUID, count: int) -> list[dict[str, Any]]:
    """So many events; whatever goes on in other databases of this server may hold them back for a while."""
    deadline = time.monotonic() + 10
    while count > 0 and time.monotonic() < deadline:
        count -= publish_batch().published
    entries: Any = redis_client().xrange(stream_of(organization_id))
    return [event for _, fields in entries for event in orjson.loads(fields[b"events"])]


def test_picture_becomes_a_file_of_the_conversation(mailbox: Mailbox, files: FileServer) -> None:
    content = picture()
    message = mailbox.send(files.keep(content), "Veja")
    assert mailbox.work() == [TASK, VERIFY, "files.make_thumbnail"]
    file = file_of(message)
    assert content_of(file) == content
    assert (file.sha256, file.size) == (hashlib.sha256(content).hexdigest(), len(content))
    assert (file.organization_id, file.is_used) == (mailbox.house.organization.id, True)
    shown = media_in(message)
    assert (shown["kind"], shown["media_type"], shown["file_name"]) == ("image", "image/png", "image")
    assert (shown["file_id"], shown["size"]) == (str(file.id), len(content))
    assert message.text == "Veja"
    said = {"file_id": str(file.id), "size": len(content), "media_type": "image/png"}
    assert story(message) == [("received", {}), ("media", said)]
    assert fetch_of(message).state == FetchState.DONE
    assert Upload.across_organizations.get().way == UploadWay.FETCHED


def test_large_file_comes_in_parts_that_lie_end_to_end(
    mailbox: Mailbox, files: FileServer, small_parts: int
) -> None:
    content = noise(4 * small_parts + 1)
    message = mailbox.send(files.keep(content))
    mailbox.work()
    assert content_of(file_of(message)) == content
    spans = files.spans()
    assert len(spans) == 5
    assert all(before[1] == after[0] for before, after in pairwise(spans))


def test_file_of_whole_parts_ends_where_it_ends(mailbox: Mailbox, files: FileServer, small_parts: int) -> None:
    content = noise(2 * small_parts)
    message = mailbox.send(files.keep(content))
    mailbox.work()
    assert content_of(file_of(message)) == content
    assert len(files.spans()) == 2


def test_empty_file_is_one(mailbox: Mailbox, files: FileServer) -> None:
    message = mailbox.send(files.keep(b""))
    mailbox.work()
    assert file_of(message).size == 0


def test_parts_as_large_as_an_s3_wants_them(
    mailbox: Mailbox, files: FileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    assert media_parts.PART_BYTES >= 5 * 1024 * 1024
    content = noise(2 * media_parts.PART_BYTES + 7)
    message = mailbox.send(files.keep(content), kind="video")
    mailbox.work()
    assert file_of(message).sha256 == hashlib.sha256(content).hexdigest()
    assert len(files.spans()) == 3


# Who shows it


def test_clients_read_of_the_file_and_download_it(mailbox: Mailbox, files: FileServer, owner: Api) -> None:
    message = mailbox.send(files.keep(picture()))
    mailbox.work()
    media = owner.get(f"/v1/messages/{message.id}").json()["content"]["media"]
    assert owner.get(f"/v1/files/{media['file_id']}/presigned").json()["url"]
    assert owner.get(f"/v1/files/{media['file_id']}").json()["is_used"] is True
    (event, _) = owner.get(f"/v1/messages/{message.id}/events").json()["data"]
    assert (event["kind"], event["detail"]["file_id"]) == ("media", media["file_id"])


def test_whoever_follows_the_conversation_is_told(mailbox: Mailbox, files: FileServer) -> None:
    EventCursor.objects.update_or_create(pk=1, defaults={"transaction": "0", "event_id": 0})
    message = mailbox.send(files.keep(picture()))
    mailbox.work()
    told = published(mailbox.house.organization.id, 2)
    assert [(event["type"], event["kind"], event["status"]) for event in told] == [
        ("message", "received", "received"),
        ("status", "media", "received"),
    ]
    assert {event["message_id"] for event in told} == {str(message.id)}


def test_other_organizations_see_nothing_of_it(
    mailbox: Mailbox, files: FileServer, boreal: House, owner: Api
) -> None:
    """The same person writes to both, whose accounts have the same name at the provider."""
    stranger = Mailbox(boreal, open_account(boreal, "instagram"), mailbox.loop)
    message = mailbox.send(files.keep(picture()))
    theirs = Message.across_organizations.get(account=stranger.account)
    mailbox.work()
    mine, other = file_of(message), file_of(theirs)
    assert mine.id != other.id
    assert (mine.organization_id, other.organization_id) == (
        mailbox.house.organization.id,
        boreal.organization.id,
    )
    assert owner.get(f"/v1/files/{mine.id}").status_code == 200
    assert owner.get(f"/v1/files/{other.id}/presigned").status_code == 404
    assert as_member(boreal.owner).get(f"/v1/files/{mine.id}/presigned").status_code == 404
