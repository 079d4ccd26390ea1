"""The link that people find in their messages: whoever has it gets the file, for as long as it is good."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from django.core import signing
from django.test import Client
from pytest_django import Settings

from apps.core import clock
from apps.core.ids import new_id
from apps.core.redaction import redact_text
from apps.files.disk_service import DiskService
from apps.files.sent_links import LinkExpired, read_token, sent_url
from apps.files.stores import store
from apps.files.stores.disk import DiskStore
from apps.files.stores.store import BadLink, Store
from tests.cast import House
from tests.files.bringing import keep
from tests.messaging.files.kept import PDF

pytestmark = pytest.mark.django_db


def path_of(file_id: UUID, days_old: float = 0) -> str:
    url = sent_url(file_id, clock.now() - timedelta(days=days_old))
    return "/f/" + url.rpartition("/")[2]


def follow(url: str) -> httpx.Response:
    """What the disk hands out there."""
    where = store()
    assert isinstance(where, DiskStore)

    async def nothing_else(*_: Any) -> None:
        raise AssertionError

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(DiskService(nothing_else, where))
        async with httpx.AsyncClient(transport=transport) as client:
            return await client.get(url)

    return asyncio.run(ask())


def test_link_leads_to_the_file(aurora: House, file_store: Store) -> None:
    answer = Client().get(path_of(keep(aurora.organization, PDF, "conta.pdf").id))
    assert answer.status_code == 302
    got = follow(answer["Location"])
    assert (got.status_code, got.content) == (200, PDF)
    assert got.headers["Content-Disposition"] == 'inline; filename="conta.pdf"'


def test_link_is_short_and_fits_into_any_text(settings: Settings) -> None:
    settings.PUBLIC_URL = "https://recado.example"
    url = sent_url(new_id(), clock.now() + timedelta(days=366))
    token = url.removeprefix("https://recado.example/f/")
    assert len(token) < 80
    assert set(token) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")


@pytest.mark.parametrize(
    ("days_old", "status", "title"), [(8, 410, "This link has expired"), (6.9, 410, "This file is gone")]
)
def test_link_that_leads_nowhere_any_more_says_why(days_old: float, status: int, title: str) -> None:
    answer = Client().get(path_of(new_id(), days_old))
    assert answer.status_code == status
    assert title in answer.content.decode()


def test_removed_file_is_gone(aurora: House, file_store: Store) -> None:
    file = keep(aurora.organization, PDF, "conta.pdf")
    path = path_of(file.id)
    file.delete()
    answer = Client().get(path)
    assert answer.status_code == 410
    assert "This file is gone" in answer.content.decode()


def test_link_that_was_changed_is_none_of_ours(aurora: House, file_store: Store) -> None:
    path = path_of(keep(aurora.organization, PDF, "conta.pdf").id)
    good = path.removeprefix("/f/")
    payload, _, signature = good.partition(".")
    other = path_of(new_id()).removeprefix("/f/").partition(".")[0]
    forged = signing.Signer(salt="another", sep=".").sign(payload)
    for bad in ("x", good[:-1], good + "x", f"{other}.{signature}", payload, f".{signature}", forged, "é", "%00"):
        answer = Client().get(f"/f/{bad}")
        assert answer.status_code == 404, bad
        assert "This link does not work" in answer.content.decode()
        assert "conta.pdf" not in answer.content.decode()


@pytest.mark.parametrize("payload", ["", "AAAA", "A" * 27 + "=", "A" * 400, "á"])
def test_token_that_we_signed_and_never_wrote_is_none(payload: str) -> None:
    token = signing.Signer(salt="recado.sent_file", sep=".").sign(payload)
    with pytest.raises(BadLink):
        read_token(token)


def test_link_ends_when_it_is_said_to(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.FILES_SENT_LINK_DAYS = 2
    file_id, begins = new_id(), clock.now()
    token = sent_url(file_id, begins).rpartition("/")[2]
    monkeypatch.setattr(clock, "now", lambda: begins + timedelta(days=2, seconds=-2))
    assert read_token(token) == file_id
    monkeypatch.setattr(clock, "now", lambda: begins + timedelta(days=2, seconds=2))
    with pytest.raises(LinkExpired):
        read_token(token)


def test_page_is_kept_nowhere_found_by_nobody_and_only_read(aurora: House, file_store: Store) -> None:
    path = path_of(keep(aurora.organization, PDF, "conta.pdf").id)
    for answer in (Client().get(path), Client().head(path), Client().get("/f/x"), Client().get(path_of(new_id()))):
        assert "no-store" in answer["Cache-Control"]
        assert answer["X-Robots-Tag"] == "noindex, nofollow"
    assert Client().post(path).status_code == 405


def test_page_speaks_the_language_of_whoever_opens_it() -> None:
    pages = [
        Client().get("/f/x", headers={"Accept-Language": language}).content.decode()
        for language in ("en", "pt-BR")
    ]
    assert ['lang="en"' in pages[0], 'lang="pt-br"' in pages[1]] == [True, True]


def test_log_does_not_show_it() -> None:
    url = sent_url(new_id(), clock.now())
    assert url.rpartition("/")[2] not in redact_text(f"GET {url} 302")
