"""A backup as it lies in the storage, read once from end to end and hashed on the way."""

import hashlib
from collections.abc import Iterator

import structlog

from apps.files.stores.s3 import S3Store
from apps.files.stores.store import StoreUnavailable
from apps.operations.backup import places
from apps.operations.backup.problem import BackupFailed

logger = structlog.get_logger(__name__)

# In a row, without a byte in between.
_TRIES = 5


def read_whole(store: S3Store, name: str, size: int, sha256: str) -> Iterator[bytes]:
    """Raises BackupFailed at the end where it is not what was written: until then nothing of it is believed."""
    digest, read = hashlib.sha256(), 0
    for piece in _pieces(store, places.dump_key(name)):
        digest.update(piece)
        read += len(piece)
        yield piece
    if read != size or digest.hexdigest() != sha256:
        raise BackupFailed(f"{name} in the storage is not what was written: {read} bytes of {size}, or altered.")


def _pieces(store: S3Store, key: str) -> Iterator[bytes]:
    """Goes on where a connection broke: of an hour's download, some do."""
    read = failures = 0
    while True:
        try:
            for piece in store.read(key, read):
                read += len(piece)
                failures = 0
                yield piece
        except StoreUnavailable as error:
            failures += 1
            if failures == _TRIES:
                raise
            logger.warning("backup_read_again", key=key, read=read, reason=str(error))
        else:
            return
