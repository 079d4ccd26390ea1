"""The local disk's signed links, as clients use them."""

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pytest_django import Settings

from apps.core.ids import new_id
from apps.files.stores import links
from apps.files.stores.disk import DiskStore
from apps.files.stores.store import Download, StoreFull
from tests.cast import Api
from tests.files.bringing import get, put
from tests.server import Server

pytestmark = pytest.mark.django_db(transaction=True)

ID = "01a201c1-4964-7a2b-a95e-7fa641cd835d"


@pytest.fixture
def disk(server: Server, settings: Settings) -> DiskStore:
    """The folder of the server's process, whose secret key signs."""
    settings.PUBLIC_URL = server.url
    settings.SECRET_KEY = os.environ["SECRET_KEY"]
    return DiskStore(location=str(server.files))


@pytest.fixture
def key() -> str:
    return f"{new_id()}/{new_id()}"


def test_part_is_taken_by_its_link_and_by_no_other(disk: DiskStore, key: str) -> None:
    upload = disk.begin(key)
    url = disk.sign_part(key, upload, 1, 3, 60).url
    assert put(url, b"abc") == 200
    assert put(url, b"four") == 400
    assert put(url[:-2] + ("aa" if url[-2:] != "aa" else "bb"), b"abc") == 403
    assert put(disk.sign_part(key, upload, 1, 3, -1).url, b"abc") == 403
    download = disk.sign_download(Download(key, "a", "text/plain", is_inline=False, seconds=60))
    assert put(download.replace(links.OBJECTS, links.PARTS), b"abc") == 403
    assert [(part.number, part.size) for part in disk.parts(key, upload)] == [(1, 3)]


def test_part_of_an_ended_upload_is_not_kept(disk: DiskStore, key: str) -> None:
    upload = disk.begin(key)
    url = disk.sign_part(key, upload, 1, 3, 60).url
    disk.abort(key, upload)
    assert put(url, b"abc") == 404
    assert not any(
        path.is_file() and key.partition("/")[2] in str(path) for path in Path(disk.location).rglob("*")
    )


@pytest.mark.parametrize(
    ("asked", "status", "content", "told"),
    [
        ("", 200, b"0123456789", None),
        ("bytes=2-4", 206, b"234", "bytes 2-4/10"),
        ("bytes=7-", 206, b"789", "bytes 7-9/10"),
        ("bytes=-3", 206, b"789", "bytes 7-9/10"),
        ("bytes=5-99", 206, b"56789", "bytes 5-9/10"),
        ("bytes=0-1,3-4", 200, b"0123456789", None),
        ("lines=1", 200, b"0123456789", None),
        ("bytes=10-", 416, None, None),
        ("bytes=5-2", 416, None, None),
    ],
)
def test_object_is_handed_out_in_ranges(
    disk: DiskStore, key: str, asked: str, status: int, content: bytes | None, told: str | None
) -> None:
    disk.put(key, b"0123456789")
    url = disk.sign_download(Download(key, 'a"\r\n🎂.html', "text/plain", is_inline=False, seconds=60))
    answered, body, headers = get(url, **({"Range": asked} if asked else {}))
    assert (answered, headers.get("Content-Range")) == (status, told)
    if content is not None:
        assert body == content
        assert headers["Content-Disposition"].startswith("attachment;")
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in headers["Content-Security-Policy"]


def test_link_to_an_object_is_worth_nothing_changed_expired_or_gone(disk: DiskStore, key: str) -> None:
    disk.put(key, b"x")
    wanted = Download(key, "a", "text/plain", is_inline=False, seconds=60)
    url = disk.sign_download(wanted)
    assert get(url)[0] == 200
    assert get(url[:-1])[0] == 403
    assert get(f"{url}/../../etc/passwd")[0] == 403
    assert get(disk.sign_download(Download(key, "a", "text/plain", is_inline=False, seconds=-1)))[0] == 403
    part = disk.sign_part(key, disk.begin(key), 1, 1, 60).url
    assert get(part.replace(links.PARTS, links.OBJECTS))[0] == 403
    disk.remove(key)
    assert get(url)[0] == 404


@pytest.mark.parametrize("key", ["../../../etc/passwd", "a/b", f"{ID}/../x", f"/{ID}/{ID}", f"{ID}/{ID}.SH"])
def test_disk_knows_only_keys_of_ours(tmp_path: Path, key: str) -> None:
    with pytest.raises(ValueError, match="not a key"):
        DiskStore(location=str(tmp_path)).put(key, b"x")


@contextmanager
def files_no_larger_than(most: int, pid: int) -> Iterator[None]:
    """What a process meets that comes to the end of its room: the system refuses to write on."""
    soft, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, hard))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft, hard))


def left_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_full_disk_keeps_nothing_half(tmp_path: Path, key: str) -> None:
    full = DiskStore(location=str(tmp_path))
    upload = full.begin(key)
    for number in (1, 2):
        full.put_part(key, upload, number, bytes(600_000))
    with files_no_larger_than(1_000_000, os.getpid()):
        with pytest.raises(StoreFull):
            full.put(f"{new_id()}/{new_id()}", bytes(2_000_000))
        with pytest.raises(StoreFull):
            full.put_part(key, upload, 3, bytes(2_000_000))
        with pytest.raises(StoreFull):
            full.finish(key, upload, full.parts(key, upload))
    assert sorted(path.name for path in left_in(tmp_path)) == ["00001", "00002"]
    full.finish(key, upload, full.parts(key, upload))


def test_full_disk_is_told_to_who_uploads(server: Server, owner: Api) -> None:
    assert server.process.pid is not None
    before = left_in(server.files)
    with files_no_larger_than(20 * 1024**2, server.process.pid), server.client(owner.credential) as client:
        answer = client.post("/v1/files", files={"file": ("a", bytes(24 * 1024**2))})
    assert (answer.status_code, answer.json()["code"]) == (507, "storage_full")
    assert left_in(server.files) == before
