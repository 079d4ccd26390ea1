"""Reads a backup back: what nobody has read is a hope, not a backup."""

import subprocess
from collections.abc import Iterator
from contextlib import suppress

from apps.files.stores.s3 import S3Store
from apps.operations.backup import age, postgres_tools
from apps.operations.backup.age import Writer
from apps.operations.backup.reading import read_whole

HASH, CONTENTS = "hash", "contents"


def verify(store: S3Store, name: str, size: int, sha256: str) -> str:
    """What was verified. Raises BackupFailed."""
    pieces = read_whole(store, name, size, sha256)
    if not age.has_identity():
        for _ in pieces:
            pass
        return HASH
    _read_contents(pieces)
    return CONTENTS


def _read_contents(pieces: Iterator[bytes]) -> None:
    """pg_restore unpacks all of it into statements that nobody runs: more than its list of contents would show."""
    with postgres_tools.running("pg_restore", "--file=/dev/null", stdin=subprocess.PIPE) as restore:
        assert restore.stdin is not None
        age.decrypt(pieces, _UntilItCloses(restore.stdin))


class _UntilItCloses:
    """pg_restore stops reading behind its last block, or at its first complaint; the rest is still hashed."""

    def __init__(self, pipe: Writer) -> None:
        self._pipe = pipe

    def write(self, piece: bytes) -> int:
        with suppress(BrokenPipeError):
            self._pipe.write(piece)
        return len(piece)

    def flush(self) -> None:
        with suppress(BrokenPipeError):
            self._pipe.flush()
