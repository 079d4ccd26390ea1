"""In ranges, whatever the size is against them; in order; and no more than one byte too many."""

import hashlib
import os
import time
from collections.abc import Iterator
from uuid import UUID

import pytest

from apps.files import reading_through
from apps.files.reading_through import read_through
from apps.files.stores.disk import DiskStore
from apps.files.stores.store import Store
from tests.files.bringing import sha256

KEY = f"{UUID(int=1)}/{UUID(int=2)}"


@pytest.fixture(autouse=True)
def small_ranges(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading_through, "RANGE_BYTES", 10)


@pytest.mark.parametrize("size", [0, 1, 9, 10, 11, 29, 30, 31, 40, 95])
def test_all_of_it_is_read_in_order(file_store: Store, size: int) -> None:
    content = os.urandom(size)
    file_store.put(KEY, content)
    found = read_through(KEY, size)
    assert (found.size, found.sha256, found.head) == (size, sha256(content), content)


@pytest.mark.parametrize(
    ("announced", "lies_there", "found"), [(25, 40, 26), (25, 12, 12), (25, 0, 0), (0, 40, 1)]
)
def test_another_size_than_announced_shows(file_store: Store, announced: int, lies_there: int, found: int) -> None:
    file_store.put(KEY, os.urandom(lies_there))
    assert read_through(KEY, announced).size == found


@pytest.mark.parametrize("size", [0, 7, 14, 50])
def test_parts_are_hashed_across_ranges(file_store: Store, size: int) -> None:
    content = os.urandom(size)
    file_store.put(KEY, content)
    parts = [content[at : at + 7] for at in range(0, max(1, size), 7)]
    expected = hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()
    assert read_through(KEY, size, part_size=7).parts_sha256 == expected


def test_ranges_that_come_late_keep_their_place(file_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    content = os.urandom(60)
    file_store.put(KEY, content)
    read = DiskStore.read

    def read_first_ones_last(
        self: DiskStore, key: str, start: int = 0, stop: int | None = None
    ) -> Iterator[bytes]:
        time.sleep((start % 20 == 0) * 0.02)
        return read(self, key, start, stop)

    monkeypatch.setattr(DiskStore, "read", read_first_ones_last)
    assert read_through(KEY, 60).sha256 == sha256(content)


def test_what_is_under_way_is_bounded(file_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long the reader of it takes."""
    file_store.put(KEY, os.urandom(200))
    asked = []
    read = DiskStore.read

    def read_and_note(self: DiskStore, key: str, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        asked.append(start)
        return read(self, key, start, stop)

    monkeypatch.setattr(DiskStore, "read", read_and_note)
    digest = hashlib.sha256

    class Watching:
        def __init__(self) -> None:
            self._digest, self._known = digest(), 0

        def update(self, piece: bytes) -> None:
            self._known += len(piece)
            assert len(asked) * 10 <= self._known + 10 * reading_through.RANGES_AT_ONCE
            self._digest.update(piece)

        def hexdigest(self) -> str:
            return self._digest.hexdigest()

    monkeypatch.setattr(hashlib, "sha256", Watching)
    assert read_through(KEY, 200).size == 200
