"""Makes a backup: dump, encryption and upload in one stream, with nothing on the disk and little in memory."""

import subprocess
import time
from contextlib import suppress

import structlog
from django.conf import settings

from apps.core.ids import new_id
from apps.files.stores.s3 import S3Store
from apps.files.stores.store import StoreFailed
from apps.operations.backup import age, places, postgres_tools, secrets_needed, snapshot
from apps.operations.backup.manifest import Manifest
from apps.operations.backup.part_writer import PartWriter, part_bytes
from apps.operations.backup.prune import TIME
from apps.operations.backup.snapshot import Snapshot
from apps.operations.backup.verify import verify

logger = structlog.get_logger(__name__)


def take(store: S3Store) -> Manifest:
    """Raises BackupFailed or StoreFailed, and then leaves nothing that looks like a backup."""
    age.recipients()  # says what is wrong with them before anything is asked of the database
    started = time.monotonic()
    with snapshot.taken() as seen:
        name = f"{seen.taken_at:{TIME}}-{new_id().hex[-6:]}"
        size, sha256 = _write(store, name, seen)
    try:
        verified = verify(store, name, size, sha256)
        manifest = Manifest(
            name=name,
            taken_at=seen.taken_at,
            seconds=round(time.monotonic() - started, 1),
            size=size,
            sha256=sha256,
            database_bytes=seen.database_bytes,
            postgres=seen.postgres,
            release=getattr(settings, "RELEASE", ""),
            migrations=seen.migrations,
            waiting=seen.waiting,
            keys=secrets_needed.fingerprints(),
            verified=verified,
        )
        # Last: without it, nothing of this counts.
        store.put(places.manifest_key(name), manifest.sealed())
    except BaseException:
        # Its manifest may have arrived, and only the answer not.
        for key in (places.manifest_key(name), places.dump_key(name)):
            with suppress(StoreFailed):
                store.remove(key)
        raise
    logger.info("backup_made", name=name, bytes=size, seconds=manifest.seconds, verified=verified)
    return manifest


def _write(store: S3Store, name: str, seen: Snapshot) -> tuple[int, str]:
    with PartWriter(store, places.dump_key(name), part_bytes(seen.database_bytes)) as writer:
        with postgres_tools.running(
            "pg_dump",
            "--format=custom",
            # What every pg_restore reads; the disk and the network are slower than this.
            "--compress=gzip:2",
            f"--snapshot={seen.id}",
            # A migration that is at work is waited for, not for ever.
            "--lock-wait-timeout=60s",
            f"--dbname={postgres_tools.conninfo()}",
            stdout=subprocess.PIPE,
        ) as dump:
            assert dump.stdout is not None
            age.encrypt(dump.stdout, writer)
        # pg_dump has said that it is done: else its last line would pass for its last.
        writer.finish()
    return writer.bytes, writer.sha256
