"""The file that is uploaded, read piece by piece from wherever one is in it."""

import stat
from collections.abc import Iterator
from os import stat_result
from pathlib import Path

from recado_cli.exchange import CHUNK_BYTES
from recado_cli.failures import BadUsage, Failed


class FileChanged(Failed):
    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} changed while it was read. Upload it again.")


class LocalFile:
    def __init__(self, path: Path) -> None:
        self.path = path
        about = self._about()
        if not stat.S_ISREG(about.st_mode):
            raise BadUsage(f"{path} is no file.")
        self.size = about.st_size
        self._changed_at = about.st_mtime_ns
        # As a server can read it: a name may be no text at all.
        self.name = path.name.encode(errors="replace").decode()

    def read(self, start: int, length: int) -> Iterator[bytes]:
        left = length
        try:
            with self.path.open("rb") as file:
                file.seek(start)
                while left:
                    chunk = file.read(min(CHUNK_BYTES, left))
                    if not chunk:
                        raise FileChanged(self.path)
                    left -= len(chunk)
                    yield chunk
        except OSError as error:
            raise BadUsage(f"{self.path} cannot be read: {error.strerror}.") from error

    def must_be_unchanged(self) -> None:
        """Parts of two states of it would make a file that never was."""
        about = self._about()
        if (about.st_size, about.st_mtime_ns) != (self.size, self._changed_at):
            raise FileChanged(self.path)

    def _about(self) -> stat_result:
        try:
            return self.path.stat()
        except OSError as error:
            raise BadUsage(f"{self.path} cannot be read: {error.strerror}.") from error
