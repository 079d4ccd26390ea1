"""A folder of this machine, for installations of one machine that want no S3.

An object appears under its name only once it is whole: everything is written beside it and moved there.
"""

import errno
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from django.core.files.storage import FileSystemStorage

from apps.core.ids import new_id
from apps.files.stores import links
from apps.files.stores.store import (
    READ_BYTES,
    BadParts,
    Bytes,
    Download,
    NoSuchObject,
    NoSuchUpload,
    Part,
    SignedPart,
    Store,
    StoreFull,
    StoreUnavailable,
)

# Keys are ours, never a stranger's words; this is the second lock on that door.
_KEY = re.compile(r"[0-9a-f-]{36}/[0-9a-f-]{36}(\.[a-z]{1,10})?")
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class DiskStore(FileSystemStorage, Store):
    def put(self, key: str, content: Bytes) -> None:
        with self._written(self._object(key)) as file:
            file.write(content)

    def read(self, key: str, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        with self.opened(key) as file:
            file.seek(start)
            left = None if stop is None else max(0, stop - start)
            while piece := file.read(READ_BYTES if left is None else min(left, READ_BYTES)):
                left = None if left is None else left - len(piece)
                yield piece

    @contextmanager
    def opened(self, key: str) -> Iterator[BinaryIO]:
        try:
            with self._object(key).open("rb") as file:
                yield file
        except FileNotFoundError as error:
            raise NoSuchObject("The storage has no such object.") from error

    def remove(self, key: str) -> None:
        with _told(), suppress(FileNotFoundError):
            self._object(key).unlink()

    def begin(self, key: str) -> str:
        upload = str(new_id())
        with _told():
            self._parts(key, upload).mkdir(parents=True)
        return upload

    def put_part(self, key: str, upload: str, number: int, content: Bytes) -> Part:
        with self.part_written(key, upload, number) as file:
            file.write(content)
        return Part(number, len(content), "")

    @contextmanager
    def part_written(self, key: str, upload: str, number: int) -> Iterator[BinaryIO]:
        folder = self._parts(key, upload)
        if not folder.is_dir():
            raise NoSuchUpload("The storage knows no such upload.")
        with self._written(folder / f"{number:05}") as file:
            yield file

    def parts(self, key: str, upload: str) -> list[Part]:
        folder = self._parts(key, upload)
        if not folder.is_dir():
            raise NoSuchUpload("The storage knows no such upload.")
        with _told():
            found = sorted(path for path in folder.iterdir() if path.name.isdigit())
            return [Part(int(path.name), path.stat().st_size, "") for path in found]

    def finish(self, key: str, upload: str, parts: Sequence[Part]) -> None:
        there = {part.number: part.size for part in self.parts(key, upload)}
        if any(there.get(part.number) != part.size for part in parts):
            raise BadParts("The storage has other parts.")
        with self._written(self._object(key)) as whole:
            for part in parts:
                with (self._parts(key, upload) / f"{part.number:05}").open("rb") as file:
                    shutil.copyfileobj(file, whole, READ_BYTES)
        self.abort(key, upload)

    def abort(self, key: str, upload: str) -> None:
        with _told(), suppress(FileNotFoundError):
            shutil.rmtree(self._parts(key, upload))

    def abort_all(self, key: str) -> None:
        with _told(), suppress(FileNotFoundError):
            shutil.rmtree(self._uploads(key))

    def sign_part(self, key: str, upload: str, number: int, size: int, seconds: int) -> SignedPart:
        return links.sign_part(links.PartPlace(key, upload, number, size), seconds)

    def sign_download(self, download: Download) -> str:
        return links.sign_download(download)

    def _object(self, key: str) -> Path:
        return Path(self.location) / "objects" / _checked(key)

    def _uploads(self, key: str) -> Path:
        return Path(self.location) / "parts" / _checked(key)

    def _parts(self, key: str, upload: str) -> Path:
        return self._uploads(key) / str(upload)

    @contextmanager
    def _written(self, path: Path) -> Iterator[BinaryIO]:
        """Under its name when all of it is on the disk, or not at all."""
        with _told():
            path.parent.mkdir(parents=True, exist_ok=True)
            beside = path.with_name(f"{path.name}.{new_id()}.tmp")
            try:
                with beside.open("xb") as file:
                    yield file
                    file.flush()
                    os.fsync(file.fileno())
                beside.replace(path)
            except BaseException:
                beside.unlink(missing_ok=True)
                raise


def _checked(key: str) -> str:
    if not _KEY.fullmatch(key):
        raise ValueError("not a key of ours")
    return key


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        if error.errno in _FULL:
            raise StoreFull("The disk of the storage is full.") from error
        name = errno.errorcode.get(error.errno or 0, "failed")
        raise StoreUnavailable(f"The disk of the storage does not work ({name}).") from error
