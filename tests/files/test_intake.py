"""`POST /v1/files` through the real web server into a real S3, and all that can go wrong on the way."""

import http.client
import itertools
import os
import re
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import pytest
from pytest_django import Settings

from apps.core import clock
from apps.core.ids import new_id
from apps.files.models import File, StoragePolicy, Upload, UploadState
from apps.files.stores import store
from apps.files.sweep import sweep
from tests.cast import Api, House, as_member
from tests.files.bringing import get, sha256
from tests.files.conftest import use_s3
from tests.files.servers import S3, Unreliable
from tests.server import Server, run_server

pytestmark = pytest.mark.django_db(transaction=True)

PART = 8 * 1024 * 1024
DOWN = b"HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@dataclass(frozen=True)
class Place:
    """A web process, its S3, and what is between them."""

    server: Server
    s3: S3
    between: Unreliable

    def send(
        self, credential: str, content: bytes | Iterator[bytes], name: str = "a.bin", path: str = ""
    ) -> httpx.Response:
        with self.server.client(credential) as client:
            return client.post(path or "/v1/files", files={"file": (name, content)})  # type: ignore[dict-item]


@pytest.fixture(scope="module")
def s3_server(django_db_setup: None, rclone: S3, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    between = Unreliable(rclone.url)
    environment = rclone.settings | {"S3_ENDPOINT_URL": between.url, "FILES_UPLOADS_AT_ONCE": "4"}
    with run_server(tmp_path_factory.mktemp("web"), **environment) as server:
        yield Place(server, rclone, between)
    between.close()


@pytest.fixture
def place(s3_server: Place, settings: Settings) -> Iterator[Place]:
    use_s3(settings, s3_server.s3)
    yield s3_server
    s3_server.between.fails = lambda _head: None


def parts_of(name: str, content: bytes, *, field: str = "file", boundary: str = "xyz") -> bytes:
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n\r\n'
    return head.encode() + content + f"\r\n--{boundary}--\r\n".encode()


def raw(place: Place, credential: str, body: bytes, **headers: str) -> tuple[int, dict[str, Any]]:
    """As a client that builds its body by hand."""
    connection = http.client.HTTPConnection(urlsplit(place.server.url).netloc, timeout=30)
    told = {"Authorization": credential, "Content-Type": "multipart/form-data; boundary=xyz", **headers}
    connection.request("POST", "/v1/files", body, told)
    answer = connection.getresponse()
    document = httpx.Response(200, content=answer.read()).json()
    connection.close()
    return answer.status, document


def begun(place: Place, credential: str, content: bytes, announced: int, upload_id: UUID) -> socket.socket:
    """A connection on which only so much of an upload was sent."""
    address = urlsplit(place.server.url)
    connection = socket.create_connection((address.hostname or "", address.port or 0), timeout=20)
    body = parts_of("half.bin", content)[: -len("\r\n--xyz--\r\n")]
    connection.sendall(
        f"POST /v1/files?upload_id={upload_id} HTTP/1.1\r\nHost: {address.netloc}\r\n"
        f"Authorization: {credential}\r\n"
        f"Content-Type: multipart/form-data; boundary=xyz\r\nContent-Length: {announced}\r\n\r\n".encode()
    )
    connection.sendall(body)
    return connection


def wait_for(condition: Callable[[], object], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.05)


@pytest.mark.parametrize("length", [0, 1, PART - 1, PART, PART + 1, 3 * PART + 12345])
def test_file_arrives_as_it_was_sent(place: Place, owner: Api, length: int) -> None:
    content = os.urandom(length)
    answer = place.send(owner.credential, content, "dados.bin")
    assert answer.status_code == 201, answer.text
    told = answer.json()
    assert (told["size"], told["sha256"], told["name"]) == (length, sha256(content), "dados.bin")
    link = owner.get(f"/v1/files/{told['id']}/presigned").json()["url"]
    status, received, headers = get(link)
    assert (status, received) == (200, content)
    assert headers["Content-Disposition"] == 'attachment; filename="dados.bin"'
    if length:
        assert get(link, Range="bytes=0-9")[1] == content[:10]


def test_file_of_chunks_arrives_without_a_length(place: Place, owner: Api) -> None:
    content = os.urandom(PART + 99)
    body = parts_of("a", content)
    chunks = (body[at : at + 70_001] for at in range(0, len(body), 70_001))
    headers = {"Content-Type": "multipart/form-data; boundary=xyz"}
    with place.server.client(owner.credential) as client:
        answer = client.post("/v1/files", content=chunks, headers=headers)
    assert answer.json()["sha256"] == sha256(content)


@pytest.mark.parametrize("name", ['a"b.txt', "../../x.txt", "a\nb.txt", "🎂.txt", "\u202egpj.txt"])
def test_file_keeps_no_hostile_name(place: Place, owner: Api, name: str) -> None:
    told = place.send(owner.credential, b"x", name).json()
    assert not re.search(r'["/\n\u202e]', told["name"])
    status, _, headers = get(owner.get(f"/v1/files/{told['id']}/presigned").json()["url"])
    assert status == 200
    assert headers["Content-Disposition"].startswith("attachment;")


def test_markup_is_saved_and_never_shown(place: Place, owner: Api) -> None:
    told = place.send(owner.credential, b"<!doctype html><script>alert(1)</script>", "foto.png").json()
    assert told["media_type"] == "text/html"
    _, _, headers = get(owner.get(f"/v1/files/{told['id']}/presigned?disposition=inline").json()["url"])
    assert headers["Content-Type"] == "application/octet-stream"
    assert headers["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize(
    ("who", "status", "code"), [("", 401, "not_authenticated"), ("viewer", 403, "missing_scope")]
)
def test_body_of_who_may_not_is_not_read(place: Place, aurora: House, who: str, status: int, code: str) -> None:
    credential = as_member(getattr(aurora, who)).credential if who else ""
    answer = place.send(credential, os.urandom(3 * PART))
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not Upload.across_organizations.exists()


def test_progress_can_be_read_while_it_comes_and_it_can_be_aborted(
    place: Place, owner: Api, boreal: House
) -> None:
    upload_id = new_id()
    with begun(place, owner.credential, bytes(PART + 1000), 5 * PART, upload_id) as connection:
        wait_for(lambda: owner.get(f"/v1/uploads/{upload_id}").json().get("received") == PART + 1000)
        told = owner.get(f"/v1/uploads/{upload_id}").json()
        assert (told["state"], told["name"], told["size"]) == ("receiving", "half.bin", 5 * PART)
        assert as_member(boreal.owner).get(f"/v1/uploads/{upload_id}").status_code == 404
        owner.post(f"/v1/uploads/{upload_id}/abort")
        connection.settimeout(20)
        with suppress(OSError):
            for _ in range(40):
                connection.sendall(bytes(1000))
                time.sleep(0.1)
        assert b"409" in connection.recv(100)
    assert place.s3.unfinished() == []


def test_client_that_hangs_up_leaves_nothing(place: Place, owner: Api) -> None:
    upload_id = new_id()
    with begun(place, owner.credential, bytes(2 * PART + 1000), 5 * PART, upload_id):
        wait_for(place.s3.unfinished)
    wait_for(lambda: Upload.across_organizations.get(pk=upload_id).state == UploadState.REFUSED)
    assert Upload.across_organizations.get(pk=upload_id).error_code == "client_gone"
    wait_for(lambda: not place.s3.unfinished())
    assert owner.get(f"/v1/files/{upload_id}").status_code == 404


def test_web_process_that_died_leaves_what_the_sweep_finds(
    django_db_setup: None, place: Place, owner: Api, tmp_path: Any
) -> None:
    upload_id = new_id()
    with run_server(tmp_path, **place.s3.settings) as server:
        connection = begun(
            Place(server, place.s3, place.between), owner.credential, bytes(2 * PART), 5 * PART, upload_id
        )
        wait_for(place.s3.unfinished)
        server.process.kill()
    connection.close()
    assert Upload.across_organizations.get(pk=upload_id).state == UploadState.RECEIVING
    Upload.across_organizations.filter(pk=upload_id).update(changed_at=clock.now() - timedelta(hours=1))
    assert sweep(dry_run=True).abandoned_uploads == 1
    assert place.s3.unfinished()
    assert sweep().abandoned_uploads == 1
    assert place.s3.unfinished() == []


def test_s3_that_fails_one_call_in_ten_is_asked_again(place: Place, owner: Api) -> None:
    counter = itertools.count(1)
    place.between.fails = lambda _head: DOWN if next(counter) % 10 == 3 else None
    content = os.urandom(6 * PART)
    answer = place.send(owner.credential, content)
    assert answer.status_code == 201, answer.text
    assert answer.json()["sha256"] == sha256(content)
    assert next(counter) > 8


def test_s3_that_is_down_is_told_and_nothing_is_kept(place: Place, owner: Api) -> None:
    place.between.fails = lambda head: DOWN if b"partNumber" in head else None
    answer = place.send(owner.credential, bytes(2 * PART))
    assert (answer.status_code, answer.json()["code"]) == (503, "storage_unavailable")
    assert answer.headers["Retry-After"]
    assert not File.across_organizations.exists()
    assert place.s3.unfinished() == []


def test_file_larger_than_allowed_is_refused_before_it_is_sent(place: Place, owner: Api, aurora: House) -> None:
    _allow(aurora, PART)
    answer = place.send(owner.credential, bytes(2 * PART))
    assert (answer.status_code, answer.json()["code"]) == (413, "file_too_large")
    assert not Upload.across_organizations.exists()


def test_file_that_grows_beyond_what_is_allowed_is_cut_off(place: Place, owner: Api, aurora: House) -> None:
    _allow(aurora, PART)
    body = parts_of("a", bytes(2 * PART))
    with place.server.client(owner.credential) as client:
        headers = {"Content-Type": "multipart/form-data; boundary=xyz"}
        answer = client.post("/v1/files", content=iter([body]), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (413, "file_too_large")
    assert place.s3.unfinished() == []
    assert not File.across_organizations.exists()


BAD = [
    (b'--xyz\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nno end', "malformed_body"),
    (b"nothing of the kind", "malformed_body"),
    (parts_of("a", b"x", field="other"), "file_missing"),
    (b'--xyz\r\nContent-Disposition: form-data; name="file"\r\n\r\nx\r\n--xyz--\r\n', "file_missing"),
    (parts_of("a", b"x").replace(b"--xyz--\r\n", parts_of("b", b"y")), "several_files"),
    (parts_of("a", bytes(100_000), field="other"), "too_much_besides"),
    (parts_of("a" * 20_000, b"x"), "malformed_body"),
]


@pytest.mark.parametrize(("body", "code"), BAD, ids=[str(n) for n in range(len(BAD))])
def test_body_that_is_no_form_is_refused_in_words(place: Place, owner: Api, body: bytes, code: str) -> None:
    status, said = raw(place, owner.credential, body)
    assert (status, said["code"]) == (400, code)
    (upload,) = Upload.across_organizations.all()
    assert upload.state == UploadState.REFUSED
    assert not File.across_organizations.exists()


def test_repeated_upload_is_one_file(place: Place, owner: Api) -> None:
    with place.server.client(owner.credential) as client:
        answers = [
            client.post("/v1/files", files={"file": ("a", b"same")}, headers={"Idempotency-Key": "one"})
            for _ in range(2)
        ]
        other = client.post("/v1/files", files={"file": ("a", b"other")}, headers={"Idempotency-Key": "one"})
    assert answers[0].json() == answers[1].json()
    assert answers[1].headers["Idempotency-Replayed"] == "true"
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    (file,) = File.across_organizations.all()
    assert b"".join(store().read(file.key)) == b"same"
    mine = [key for key in place.s3.objects() if key.startswith(str(file.organization_id))]
    assert mine == [file.key]


def test_upload_id_is_used_once(place: Place, owner: Api) -> None:
    upload_id = new_id()
    path = f"/v1/files?upload_id={upload_id}"
    assert place.send(owner.credential, b"x", path=path).json()["id"] == str(upload_id)
    again = place.send(owner.credential, b"x", path=path)
    assert (again.status_code, again.json()["code"]) == (409, "upload_exists")
    assert place.send(owner.credential, b"x", path="/v1/files?upload_id=x").status_code == 400


def test_one_organization_leaves_places_to_others(place: Place, owner: Api, boreal: House) -> None:
    """Four places here: two for each."""
    held = [begun(place, owner.credential, b"x", PART, new_id()) for _ in range(2)]
    try:
        wait_for(lambda: Upload.across_organizations.exclude(name="").count() == 2)
        refused = place.send(owner.credential, b"x")
        assert (refused.status_code, refused.json()["code"]) == (429, "too_many_uploads")
        assert place.send(as_member(boreal.owner).credential, b"x").status_code == 201
    finally:
        for connection in held:
            connection.close()


def _allow(house: House, most: int) -> None:
    StoragePolicy.across_organizations.create(organization=house.organization, largest_bytes=most)
