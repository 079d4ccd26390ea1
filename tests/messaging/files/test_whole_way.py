"""A large file's whole way: up through the web server, out in a WhatsApp message, down from the storage."""

import hashlib
import os
import re
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from bench import uploader
from tests.cast import House, with_key
from tests.files.conftest import use_s3
from tests.files.servers import S3, start_rclone
from tests.messaging.desk import ANA
from tests.messaging.files.conftest import OpenDesk
from tests.messaging.files.office import received
from tests.messaging.provider import Provider
from tests.server import Server, run_server

pytestmark = pytest.mark.django_db(transaction=True)

MEGABYTES = 200


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    s3, stop = start_rclone(tmp_path_factory.mktemp("s3"))
    yield s3
    stop()


@pytest.fixture(scope="module")
def web(django_db_setup: None, s3: S3, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with run_server(tmp_path_factory.mktemp("web"), **s3.settings) as server:
        yield server


def test_large_file_goes_up_is_sent_as_a_document_link_and_comes_down_the_same(
    web: Server,
    s3: S3,
    settings: Settings,
    aurora: House,
    open_desk: OpenDesk,
    provider: Provider,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    use_s3(settings, s3)
    settings.PUBLIC_URL = web.url
    path, digest = random_file(tmp_path / "manual completo.bin")
    credential = with_key(aurora.organization).credential.partition(" ")[2]
    monkeypatch.setenv("BENCH_WEB", web.url)
    monkeypatch.setenv("BENCH_KEY", credential)

    uploaded = uploader.streamed(path)
    assert uploaded["sha256"] == digest

    desk = open_desk("whatsapp_cloud")
    with web.client(f"Api-Key {credential}") as client:
        body = {
            "account_id": str(desk.account.id),
            "to": ANA,
            "text": "O manual",
            "media": {"file_id": uploaded["id"]},
        }
        sent = client.post("/v1/messages", json=body)
        assert sent.status_code == 202, sent.text
    desk.drain()
    (text,) = received(provider)
    link = re.fullmatch(rf"O manual\n({re.escape(web.url)}/f/\S+)", text)
    assert link is not None, text

    assert digest_of(link[1]) == digest
    presigned = as_owner_asks(web, credential, uploaded["id"])
    assert presigned.startswith(s3.url)
    assert digest_of(presigned) == digest


def random_file(path: Path) -> tuple[Path, str]:
    digest = hashlib.sha256()
    with path.open("wb") as file:
        for _ in range(MEGABYTES):
            block = os.urandom(1024 * 1024)
            digest.update(block)
            file.write(block)
    return path, digest.hexdigest()


def digest_of(url: str) -> str:
    """Of what comes down, without holding it."""
    digest = hashlib.sha256()
    with urllib.request.urlopen(url, timeout=60) as answer:
        while piece := answer.read(1024 * 1024):
            digest.update(piece)
    return digest.hexdigest()


def as_owner_asks(web: Server, credential: str, file_id: str) -> str:
    with web.client(f"Api-Key {credential}") as client:
        return str(client.get(f"/v1/files/{file_id}/presigned").json()["url"])
