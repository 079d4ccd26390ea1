"""What every store does, whoever made it."""

import os

import pytest
from pytest_django import Settings

from apps.core.ids import new_id
from apps.files.stores.s3 import S3Store
from apps.files.stores.store import (
    SMALLEST_PART,
    BadParts,
    Download,
    NoSuchObject,
    NoSuchUpload,
    Part,
    Store,
)
from tests.files.bringing import get, put
from tests.files.conftest import use_s3
from tests.files.servers import S3


@pytest.fixture
def key() -> str:
    return f"{new_id()}/{new_id()}"


def read(store: Store, key: str, start: int = 0, stop: int | None = None) -> bytes:
    return b"".join(store.read(key, start, stop))


def test_store_gives_back_what_was_put(any_store: Store, key: str) -> None:
    any_store.put(key, b"0123456789")
    assert read(any_store, key) == b"0123456789"
    assert read(any_store, key, 3) == b"3456789"
    assert read(any_store, key, 3, 5) == b"34"
    assert read(any_store, key, 4, 4) == b""
    assert read(any_store, key, 8, 20) == b"89"


def test_store_has_nothing_behind_the_end(any_store: Store, key: str) -> None:
    any_store.put(key, b"0123456789")
    assert read(any_store, key, 10, 11) == b""
    assert read(any_store, key, 30) == b""
    any_store.put(key, b"")
    assert read(any_store, key, 0, 1) == b""


def test_store_keeps_an_empty_object(any_store: Store, key: str) -> None:
    any_store.put(key, b"")
    assert read(any_store, key) == b""


def test_store_says_that_an_object_is_not_there(any_store: Store, key: str) -> None:
    with pytest.raises(NoSuchObject):
        read(any_store, key)


def test_store_removes_twice_without_a_word(any_store: Store, key: str) -> None:
    any_store.put(key, b"x")
    any_store.remove(key)
    any_store.remove(key)
    with pytest.raises(NoSuchObject):
        read(any_store, key)


def test_store_makes_one_object_of_parts(any_store: Store, key: str) -> None:
    first, last = os.urandom(SMALLEST_PART), b"the end"
    upload = any_store.begin(key)
    any_store.put_part(key, upload, 1, first)
    any_store.put_part(key, upload, 1, first)  # a second time, as after an answer that was lost
    any_store.put_part(key, upload, 2, bytearray(last))
    parts = any_store.parts(key, upload)
    assert [(part.number, part.size) for part in parts] == [(1, SMALLEST_PART), (2, len(last))]
    with pytest.raises(NoSuchObject):
        read(any_store, key)
    any_store.finish(key, upload, parts)
    assert read(any_store, key) == first + last


def test_store_refuses_parts_that_it_does_not_have(any_store: Store, key: str) -> None:
    upload = any_store.begin(key)
    any_store.put_part(key, upload, 1, b"one")
    with pytest.raises(BadParts):
        any_store.finish(key, upload, [Part(1, 3, any_store.parts(key, upload)[0].etag), Part(2, 3, '"0"')])
    with pytest.raises(NoSuchObject):
        read(any_store, key)


def test_store_forgets_what_is_aborted(any_store: Store, key: str) -> None:
    upload = any_store.begin(key)
    any_store.put_part(key, upload, 1, b"one")
    any_store.abort(key, upload)
    any_store.abort(key, upload)
    with pytest.raises(NoSuchUpload):
        any_store.parts(key, upload)


def test_store_aborts_uploads_whose_id_nobody_knows(any_store: Store, key: str) -> None:
    uploads = [any_store.begin(key) for _ in range(2)]
    neighbour = f"{key[:-1]}{'0' if key[-1] != '0' else '1'}"
    kept = any_store.begin(neighbour)
    any_store.put_part(neighbour, kept, 1, b"kept")
    any_store.abort_all(key)
    for upload in uploads:
        with pytest.raises(NoSuchUpload):
            any_store.parts(key, upload)
    assert any_store.parts(neighbour, kept)


# The disk's links lead to the web process: tests/files/test_disk_service.py.


@pytest.mark.parametrize("name", ["rclone", "moto"])
def test_signed_part_is_taken_without_credentials(
    request: pytest.FixtureRequest, settings: Settings, name: str, key: str
) -> None:
    store = use_s3(settings, request.getfixturevalue(name))
    upload = store.begin(key)
    signed = store.sign_part(key, upload, 1, 3, 60)
    assert put(signed.url, b"abc") == 200
    assert [(part.number, part.size) for part in store.parts(key, upload)] == [(1, 3)]


def test_signed_part_takes_no_other_length_number_or_upload(settings: Settings, rclone: S3, key: str) -> None:
    store = use_s3(settings, rclone)
    upload = store.begin(key)
    url = store.sign_part(key, upload, 1, 3, 60).url
    assert put(url, b"four") == 403
    assert put(url.replace("partNumber=1", "partNumber=2"), b"abc") == 403
    assert put(url.replace(key, f"{new_id()}/{new_id()}"), b"abc") == 403
    assert put(url[:-1] + ("0" if url[-1] != "0" else "1"), b"abc") == 403
    assert store.parts(key, upload) == []


def test_signed_download_hands_out_one_object_for_a_while(settings: Settings, rclone: S3, key: str) -> None:
    store = use_s3(settings, rclone)
    store.put(key, b"secret")
    other = f"{key[:-1]}{'0' if key[-1] != '0' else '1'}"
    store.put(other, b"of somebody else")
    url = store.sign_download(Download(key, 'a"b\r\n.html', "text/plain", is_inline=False, seconds=60))
    assert get(url)[:2] == (200, b"secret")
    assert get(url.replace(key, other))[0] == 403
    assert get(url.replace("attachment", "inline"))[0] == 403
    assert get(url.replace("X-Amz-Expires=60", "X-Amz-Expires=6000"))[0] in {400, 403}
    brief = store.sign_download(Download(key, "a", "text/plain", is_inline=False, seconds=-5))
    assert get(brief)[0] in {400, 403}


def test_store_signs_for_the_address_that_clients_know(rclone: S3) -> None:
    store = S3Store(public_endpoint_url="https://files.aurora.example", **rclone.options)
    url = store.sign_download(Download("o/k", "a.txt", "text/plain", is_inline=False, seconds=60))
    assert url.startswith("https://files.aurora.example/recado/o/k?")
