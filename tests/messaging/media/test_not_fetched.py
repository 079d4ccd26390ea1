"""What cannot be fetched, or must not be: the conversation says so, and nothing of it is kept."""

from pathlib import Path

import pytest
from pytest_django import Settings

from apps.files.models import File, StoragePolicy, Upload, UploadState
from apps.files.sweep import sweep
from apps.messaging.engine import media_parts
from apps.messaging.models import FetchState, Message
from tests.files.pictures import picture
from tests.messaging.media.file_server import Asked, FileServer, Reply
from tests.messaging.media.mailbox import Mailbox, fetch_of, file_of, media_in, rung, story

pytestmark = pytest.mark.django_db(transaction=True)


def refused(mailbox: Mailbox, message: Message, settings: Settings) -> str:
    """Why; for good, and with nothing left."""
    mailbox.work()
    media = media_in(message)
    fetch = fetch_of(message)
    assert (fetch.state, fetch.error_code) == (FetchState.FAILED, media["error"])
    assert "file_id" not in media
    (_, (kind, detail)) = story(message)
    assert (kind, detail["error"]) == ("media", media["error"])
    assert detail["detail"]
    assert not File.across_organizations.exists()
    assert not Upload.across_organizations.exclude(state=UploadState.REFUSED).exists()
    assert [path for path in Path(settings.FILES_FOLDER).rglob("*") if path.is_file()] == []
    assert rung() == []
    code: str = media["error"]
    return code


@pytest.mark.parametrize("status", [404, 410])
def test_dead_link_fails_and_says_so(mailbox: Mailbox, files: FileServer, settings: Settings, status: int) -> None:
    message = mailbox.send(files.keep(picture()))
    files.answer = lambda _asked: Reply(status)
    assert refused(mailbox, message, settings) == "gone"
    assert len(files.asked) == 1


def test_link_that_expired_is_refused(mailbox: Mailbox, files: FileServer, settings: Settings) -> None:
    message = mailbox.send(files.keep(picture()))
    files.answer = lambda _asked: Reply(403)
    assert refused(mailbox, message, settings) == "refused"


def test_file_larger_than_the_installation_takes_is_refused(
    mailbox: Mailbox, files: FileServer, settings: Settings, small_parts: int
) -> None:
    settings.FILES_FETCHED_MOST_BYTES = 3 * small_parts
    message = mailbox.send(files.keep(bytes(3 * small_parts + 1)))
    assert refused(mailbox, message, settings) == "too_large"
    assert len(files.asked) == 1
    message = mailbox.send(files.keep(bytes(3 * small_parts)))
    mailbox.work()
    assert file_of(message).size == 3 * small_parts


def test_file_larger_than_the_organization_takes_is_refused(
    mailbox: Mailbox, files: FileServer, settings: Settings, small_parts: int
) -> None:
    StoragePolicy.across_organizations.create(organization=mailbox.house.organization, largest_bytes=small_parts)
    message = mailbox.send(files.keep(bytes(small_parts + 1)))
    assert refused(mailbox, message, settings) == "too_large"


def test_file_for_which_the_organization_has_no_room_is_refused(
    mailbox: Mailbox, files: FileServer, settings: Settings
) -> None:
    StoragePolicy.across_organizations.create(organization=mailbox.house.organization, most_bytes=10)
    message = mailbox.send(files.keep(picture()))
    assert refused(mailbox, message, settings) == "storage_quota_reached"


@pytest.mark.parametrize("told", ["*", "1500", "1"])
def test_file_that_never_ends_is_cut_off(
    mailbox: Mailbox, files: FileServer, settings: Settings, small_parts: int, told: str
) -> None:
    """Whatever its server says of its size."""
    settings.FILES_FETCHED_MOST_BYTES = 4 * small_parts

    def endless(asked: Asked) -> Reply:
        start, stop = asked.span or (0, 0)
        return Reply(206, bytes(stop - start), {"Content-Range": f"bytes {start}-{stop - 1}/{told}"})

    files.answer = endless
    message = mailbox.send(files.keep(b""))
    assert refused(mailbox, message, settings) in {"too_large", "bad_answer"}
    assert len(files.asked) <= 5


def test_server_that_sends_more_than_was_asked_for_is_refused(
    mailbox: Mailbox, files: FileServer, settings: Settings, small_parts: int
) -> None:
    files.answer = lambda _asked: Reply(206, bytes(small_parts + 1), {"Content-Range": "bytes 0-999/1000"})
    message = mailbox.send(files.keep(b""))
    assert refused(mailbox, message, settings) == "bad_answer"


@pytest.mark.parametrize("told", ["", "bytes 1-999/1000", "0-999", "bytes 5-1/x"])
def test_server_that_answers_another_range_is_refused(
    mailbox: Mailbox, files: FileServer, settings: Settings, told: str
) -> None:
    files.answer = lambda _asked: Reply(206, b"x", {"Content-Range": told})
    message = mailbox.send(files.keep(b""))
    assert refused(mailbox, message, settings) == "bad_answer"


def test_server_without_ranges_hands_out_what_is_small(mailbox: Mailbox, files: FileServer) -> None:
    content = picture(size=(900, 900))
    files.answer = lambda _asked: Reply(200, content)
    message = mailbox.send(files.keep(content))
    mailbox.work()
    assert file_of(message).size == len(content)
    assert len(files.asked) == 1


def test_server_without_ranges_is_not_asked_for_what_is_large(
    mailbox: Mailbox, files: FileServer, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media_parts, "MOST_WHOLE_BYTES", 5000)
    files.answer = lambda _asked: Reply(200, bytes(5001))
    message = mailbox.send(files.keep(b""))
    assert refused(mailbox, message, settings) == "no_ranges"


@pytest.mark.parametrize(
    "url",
    [
        "http://10.0.0.1/a.png",
        "http://169.254.169.254/latest/meta-data",
        "http://[::1]/a.png",
        "file:///etc/passwd",
        "ftp://files.example/a.png",
        "not a link",
    ],
)
def test_link_into_our_own_network_is_not_followed(mailbox: Mailbox, settings: Settings, url: str) -> None:
    message = mailbox.send(url)
    assert refused(mailbox, message, settings) == "target_refused"


def test_plain_link_is_not_followed_where_no_network_was_opened(
    mailbox: Mailbox, files: FileServer, settings: Settings
) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = []
    message = mailbox.send(files.keep(picture()))
    assert refused(mailbox, message, settings) == "target_refused"
    assert files.asked == []


def test_link_that_leads_elsewhere_is_not_followed(
    mailbox: Mailbox, files: FileServer, settings: Settings
) -> None:
    elsewhere = files.keep(picture(), "/elsewhere")
    files.answer = lambda asked: Reply(302, headers={"Location": elsewhere}) if asked.path == "/file" else None
    message = mailbox.send(files.keep(b""))
    assert refused(mailbox, message, settings) == "redirected"
    assert [asked.path for asked in files.asked] == ["/file"]


def test_upload_that_the_sweep_gives_up_is_told_of(
    mailbox: Mailbox, files: FileServer, settings: Settings
) -> None:
    message = mailbox.send(files.keep(picture()))
    files.answer = lambda _asked: Reply(503)
    mailbox.work()
    assert "error" not in media_in(message)
    Upload.across_organizations.update(changed_at="2026-01-01T00:00:00Z")
    sweep()
    assert Upload.across_organizations.get().state == UploadState.ABORTED
    assert (media_in(message)["error"], fetch_of(message).state) == ("aborted", FetchState.FAILED)
