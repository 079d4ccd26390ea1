"""What is here of a file that is downloaded. It stays when that breaks off, and the next one goes on with it."""

import hashlib
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from recado_cli.exchange import CHUNK_BYTES
from recado_cli.failures import Failed


class Partial:
    def __init__(self, path: Path) -> None:
        self._path = path
        self.size = 0
        self._whole = hashlib.sha256()
        try:
            self._file = path.open("a+b")
            self._file.seek(0)
            while chunk := self._file.read(CHUNK_BYTES):
                self._count(chunk)
        except OSError as error:
            raise self._failed(error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _where: TracebackType | None
    ) -> None:
        self._file.close()

    @property
    def sha256(self) -> str:
        return self._whole.hexdigest()

    def append(self, chunk: bytes) -> None:
        try:
            self._file.write(chunk)
        except OSError as error:
            raise self._failed(error) from error
        self._count(chunk)

    def start_over(self) -> None:
        self._file.truncate(0)
        self.size = 0
        self._whole = hashlib.sha256()

    def become(self, target: Path, *, force: bool) -> None:
        """Whole or not at all; nobody else's file is lost, though it appeared a moment ago."""
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            if not force:
                target.open("xb").close()
            self._path.replace(target)
        except FileExistsError as error:
            raise taken(target) from error
        except OSError as error:
            raise self._failed(error) from error

    def remove(self) -> None:
        self._file.close()
        self._path.unlink(missing_ok=True)

    def _count(self, chunk: bytes) -> None:
        self._whole.update(chunk)
        self.size += len(chunk)

    def _failed(self, error: OSError) -> Failed:
        return Failed(f"{self._path} cannot be written: {error.strerror}.")


def taken(target: Path) -> Failed:
    return Failed(f"{target} is there already. Name another path, or add --force to overwrite it.")
