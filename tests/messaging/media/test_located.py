"""Credentials are shown to the provider only, wherever its links lead; one that expires is asked for anew."""

from base64 import b64encode
from collections.abc import Callable

import orjson
import pytest
from django.db import transaction
from pytest_django import Settings

from apps.channels.callback import Inbound
from apps.channels.content import Media, MediaKind
from apps.channels.registry import connector
from apps.core import clock
from apps.files.stores.store import Store
from apps.messaging.engine.fetch_media import WAITS
from apps.messaging.engine.incoming import take_in
from apps.messaging.engine.loop import Loop
from apps.messaging.models import Message
from tests.cast import House
from tests.files.pictures import picture
from tests.messaging.desk import CREDENTIALS, open_account
from tests.messaging.media.file_server import Asked, FileServer, Reply
from tests.messaging.media.mailbox import Mailbox, content_of, file_of, media_in, noise

pytestmark = pytest.mark.django_db(transaction=True)

TWILIO = CREDENTIALS["sms"]
BASIC = f"Basic {b64encode(f'{TWILIO["account_sid"]}:{TWILIO["auth_token"]}'.encode()).decode()}"
BEARER = f"Bearer {CREDENTIALS['whatsapp_cloud']['access_token']}"
MEDIA = f"/2010-04-01/Accounts/{TWILIO['account_sid']}/Messages/MM1/Media/ME1"

type Open = Callable[[str], Mailbox]


@pytest.fixture
def at(
    aurora: House, loop: Loop, file_store: Store, small_parts: int, files: FileServer, settings: Settings
) -> Open:
    """An account at a provider who is the file server."""

    def open_at(name: str) -> Mailbox:
        settings.CONNECTOR_URLS = {name: files.url}
        connector.cache_clear()
        return Mailbox(aurora, open_account(aurora, name), loop)

    return open_at


def sent(mailbox: Mailbox, reference: str) -> Message:
    inbound = Inbound("", "id", "+5511912345601", clock.now(), media=Media(MediaKind.IMAGE, reference))
    with transaction.atomic():
        (received,) = take_in([(mailbox.account, inbound)])
    mailbox.work()
    return Message.across_organizations.get(pk=received.message_id)


def to(location: str) -> Callable[[Asked], Reply | None]:
    """Twilio's redirect."""
    return lambda asked: Reply(307, headers={"Location": location}) if asked.path == MEDIA else None


def graph(files: FileServer, link: str, size: int) -> Callable[[Asked], Reply | None]:
    """Meta's word of where a file lies."""
    told = {"url": files.url + link, "mime_type": "image/png", "file_size": size, "id": "77"}
    return lambda asked: Reply(200, orjson.dumps(told)) if asked.path == "/77" else None


def test_whoever_is_sent_on_shows_no_credentials_there(at: Open, files: FileServer) -> None:
    mailbox, content = at("sms"), noise(2500)
    files.answer = to(files.keep(content, "/signed"))
    message = sent(mailbox, files.url + MEDIA)
    assert content_of(file_of(message)) == content
    assert {asked.authorization for asked in files.asked if asked.path == MEDIA} == {BASIC}
    assert {asked.authorization for asked in files.asked if asked.path == "/signed"} == {""}


def test_redirect_is_relative_to_what_was_asked(at: Open, files: FileServer) -> None:
    mailbox = at("sms")
    files.keep(picture(), "/signed")
    files.answer = to("/signed")
    assert file_of(sent(mailbox, files.url + MEDIA)).size == len(picture())


@pytest.mark.parametrize(
    "start", ["{url}.elsewhere.example/", "{url}@elsewhere.example/", "https://elsewhere.example/?{url}/"]
)
def test_other_servers_are_shown_no_credentials(at: Open, files: FileServer, start: str) -> None:
    mailbox = at("sms")
    message = sent(mailbox, start.format(url=files.url) + "x")
    assert files.asked == []
    assert "file_id" not in media_in(message)


def test_link_to_another_server_is_followed_without_credentials(at: Open, files: FileServer) -> None:
    mailbox = at("sms")
    other = files.keep(picture()).replace("127.0.0.1", "localhost")
    assert file_of(sent(mailbox, other)).size == len(picture())
    assert {asked.authorization for asked in files.asked} == {""}


def test_second_redirect_is_not_followed(at: Open, files: FileServer) -> None:
    mailbox = at("sms")
    files.keep(picture(), "/third")
    third = Reply(302, headers={"Location": "/third"})
    files.answer = lambda asked: third if asked.path == "/signed" else to("/signed")(asked)
    assert media_in(sent(mailbox, files.url + MEDIA))["error"] == "redirected"
    assert "/third" not in [asked.path for asked in files.asked]


@pytest.mark.parametrize("location", ["http://10.0.0.1/x", "http://169.254.169.254/latest", "file:///etc/passwd"])
def test_redirect_into_our_own_network_is_not_followed(at: Open, files: FileServer, location: str) -> None:
    mailbox = at("sms")
    files.answer = to(location)
    assert media_in(sent(mailbox, files.url + MEDIA))["error"] == "target_refused"


def test_provider_without_redirects_is_asked_with_credentials(at: Open, files: FileServer) -> None:
    mailbox = at("sms")
    files.keep(picture(), MEDIA)
    assert file_of(sent(mailbox, files.url + MEDIA)).size == len(picture())
    assert {asked.authorization for asked in files.asked} == {BASIC}


def test_link_that_meta_names_is_asked_with_the_token(at: Open, files: FileServer) -> None:
    mailbox, content = at("whatsapp_cloud"), noise(2500)
    files.keep(content, "/look")
    files.answer = graph(files, "/look", len(content))
    assert content_of(file_of(sent(mailbox, "77"))) == content
    assert [(asked.path, asked.authorization) for asked in files.asked] == [
        ("/77", BEARER), *[("/look", BEARER)] * 3
    ]  # fmt: skip


@pytest.mark.parametrize("claimed", [1, 3000])
def test_size_that_is_a_lie_changes_nothing(at: Open, files: FileServer, claimed: int) -> None:
    mailbox, content = at("whatsapp_cloud"), noise(2500)
    files.keep(content, "/look")
    files.answer = graph(files, "/look", claimed)
    assert content_of(file_of(sent(mailbox, "77"))) == content


def test_lie_about_the_size_opens_no_door(at: Open, files: FileServer, settings: Settings) -> None:
    settings.FILES_FETCHED_MOST_BYTES = 2000
    mailbox = at("whatsapp_cloud")
    files.keep(noise(2500), "/look")
    files.answer = graph(files, "/look", 10)
    assert media_in(sent(mailbox, "77"))["error"] == "too_large"


def test_file_that_is_announced_as_too_large_is_not_asked_for(
    at: Open, files: FileServer, settings: Settings
) -> None:
    settings.FILES_FETCHED_MOST_BYTES = 2000
    mailbox = at("whatsapp_cloud")
    files.answer = graph(files, "/look", 2001)
    assert media_in(sent(mailbox, "77"))["error"] == "too_large"
    assert [asked.path for asked in files.asked] == ["/77"]


def test_link_that_expires_half_way_is_asked_for_anew(at: Open, files: FileServer) -> None:
    mailbox, content = at("whatsapp_cloud"), noise(2500)
    files.keep(content, "/first")
    files.keep(content, "/second")

    def expiring(asked: Asked) -> Reply | None:
        if asked.path == "/first" and asked.span != (0, 1000):
            return Reply(404)
        is_again = any(each.path == "/first" for each in files.asked)
        return graph(files, "/second" if is_again else "/first", len(content))(asked)

    files.answer = expiring
    message = sent(mailbox, "77")
    assert "error" not in media_in(message)
    mailbox.let_pass(WAITS[0].total_seconds())
    mailbox.fetch(message)
    mailbox.work()
    assert content_of(file_of(message)) == content
    assert [asked.span for asked in files.asked if asked.path == "/second"] == [(1000, 2000), (2000, 3000)]


def test_token_that_is_refused_may_be_mended_before_the_next_attempt(at: Open, files: FileServer) -> None:
    mailbox = at("whatsapp_cloud")
    files.keep(picture(), "/look")
    refusal = orjson.dumps({"error": {"code": 190, "message": "Invalid OAuth access token"}})
    files.answer = lambda _asked: Reply(401, refusal)
    message = sent(mailbox, "77")
    assert "error" not in media_in(message)
    files.answer = graph(files, "/look", len(picture()))
    mailbox.let_pass(WAITS[0].total_seconds())
    mailbox.fetch(message)
    mailbox.work()
    assert file_of(message).size == len(picture())
