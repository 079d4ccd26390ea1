"""The page of a conversation in the admin shows the files that are in it."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import Settings

from apps.channels.content import Content, Media, MediaKind, as_document
from apps.core.ids import new_id
from apps.files.models import File
from apps.files.stores.store import Store
from apps.files.thumbnails import make_thumbnail
from apps.messaging.models import Message
from tests.cast import House
from tests.files.bringing import keep
from tests.files.pictures import picture
from tests.live.test_views import browser_of
from tests.messaging import history
from tests.messaging.history import ANA

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _without_second_factor(settings: Settings) -> None:
    settings.ADMIN_REQUIRES_MFA = False


def message_with(house: House, file: File | None, name: str = "") -> Message:
    message = history.queued(house, to=ANA)
    media = Media(
        MediaKind.IMAGE,
        "",
        name or (file.name if file else "bolo.png"),
        "image/png",
        file.id if file else new_id(),
        2048,
    )
    Message.across_organizations.filter(pk=message.pk).update(content=as_document(Content("", media=media)))
    return message


def page_of(client: Client, message: Message) -> str:
    answer = client.get(reverse("admin:messaging_conversation_change", args=[message.conversation_id]))
    assert answer.status_code == 200
    return answer.content.decode()


def links_in(page: str) -> list[str]:
    return re.findall(r'href="(/admin/files/file/[0-9a-f-]{36}/[^"]+)"', page)


def test_file_is_shown_with_its_thumbnail_and_downloaded(aurora: House, file_store: Store) -> None:
    file = keep(aurora.organization, picture(size=(640, 480)), "bolo.png")
    message = message_with(aurora, file, "<b>bolo</b>.png")
    viewer = browser_of(aurora.viewer.user)
    page = page_of(viewer, message)
    assert "&lt;b&gt;bolo&lt;/b&gt;.png" in page
    assert "<img src=" not in page.partition('class="inbox-messages"')[2]
    make_thumbnail(file.id)
    assert '<img src="http' in page_of(viewer, message).partition('class="inbox-messages"')[2]
    (link,) = links_in(page)
    answer = viewer.get(link)
    assert (answer.status_code, "/v1/storage/objects/" in answer["Location"]) == (302, True)


def test_file_of_another_organization_is_not_handed_out(aurora: House, boreal: House, file_store: Store) -> None:
    (link,) = links_in(page_of(browser_of(aurora.viewer.user), message_with(aurora, keep(aurora.organization))))
    answer = browser_of(boreal.owner.user).get(link)
    assert answer.status_code == 404


def test_file_that_was_removed_or_never_came_says_so(aurora: House) -> None:
    message = message_with(aurora, None)
    page = page_of(browser_of(aurora.owner.user), message)
    assert "The file was removed." in page
    assert links_in(page) == []
    lost = {"kind": "image", "url": "77", "file_name": "", "media_type": "", "error": "gone"}
    Message.across_organizations.filter(pk=message.pk).update(content={"media": lost})
    assert "could not be fetched from the provider: gone" in page_of(browser_of(aurora.owner.user), message)


def test_many_files_cost_no_more_than_one(aurora: House, file_store: Store) -> None:
    client = browser_of(aurora.owner.user)

    def cost() -> int:
        message = message_with(aurora, keep(aurora.organization))
        page_of(client, message)
        with CaptureQueriesContext(connection) as queries:
            page_of(client, message)
        return len(queries)

    first = cost()
    assert [cost() for _ in range(4)][-1] == first
