"""Encryption to people who are not here: with the public key alone, nothing that was written can be read."""

from collections.abc import Iterator
from typing import IO, Protocol, cast

import pyrage
from django.conf import settings

from apps.operations.backup.problem import BackupFailed

_SECRET = "AGE-SECRET-KEY-"  # noqa: S105 - how age's secret keys begin


class Writer(Protocol):
    def write(self, piece: bytes, /) -> int: ...
    def flush(self) -> None: ...


class Reader:
    """What comes in pieces, as a file to read from."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = memoryview(b"")

    def read(self, size: int = -1) -> bytes:
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return b""
            self._rest = memoryview(piece)
        taken = self._rest if size < 0 else self._rest[:size]
        self._rest = self._rest[len(taken) :]
        return bytes(taken)


def recipients() -> list[pyrage.x25519.Recipient]:
    try:
        found = [pyrage.x25519.Recipient.from_str(word) for word in settings.BACKUP_RECIPIENT]
    except pyrage.RecipientError as error:
        raise BackupFailed("BACKUP_RECIPIENT is no public key of age, which begin with age1.") from error
    if not found:
        raise BackupFailed(
            "Nobody could read a backup. Set BACKUP_RECIPIENT to the public key that age-keygen prints."
        )
    return found


def has_identity() -> bool:
    return bool(settings.BACKUP_IDENTITY)


def encrypt(source: IO[bytes], sink: Writer) -> None:
    """Piece by piece: however long it is, it takes some kilobytes."""
    pyrage.encrypt_io(source, cast("IO[bytes]", sink), recipients())


def decrypt(source: Iterator[bytes], sink: Writer) -> None:
    """Raises BackupFailed where another key is needed, or it was altered."""
    try:
        pyrage.decrypt_io(cast("IO[bytes]", Reader(source)), cast("IO[bytes]", sink), _identities())
    except (pyrage.DecryptError, OSError) as error:
        # Which of the two it was, age says in words of its own.
        raise BackupFailed(f"The backup cannot be decrypted with this BACKUP_IDENTITY ({error}).") from error


def _identities() -> list[pyrage.x25519.Identity]:
    lines = [line.strip() for line in settings.BACKUP_IDENTITY.splitlines()]
    try:
        found = [pyrage.x25519.Identity.from_str(line) for line in lines if line.startswith(_SECRET)]
    except pyrage.IdentityError as error:
        raise BackupFailed("BACKUP_IDENTITY is no secret key of age.") from error
    if not found:
        raise BackupFailed(f"Set BACKUP_IDENTITY to the secret key, which begins with {_SECRET}.")
    return found
