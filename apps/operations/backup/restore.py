"""Fills an empty database from a backup."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from apps.files.stores.s3 import S3Store
from apps.operations.backup import age, postgres_tools, secrets_needed
from apps.operations.backup.manifest import Manifest
from apps.operations.backup.problem import BackupFailed
from apps.operations.backup.reading import read_whole
from apps.operations.backup.sizes import readable
from apps.operations.backup.verify import verify

type Say = Callable[[str], object]

# What else the disk needs meanwhile.
_SPARE = 1.1


@dataclass(frozen=True, slots=True)
class Way:
    """In parallel, from a file that is decrypted first; or as a stream, which needs no disk and one core."""

    jobs: int
    folder: Path


def check(manifest: Manifest, *, without_keys: bool) -> None:
    """Whatever would be found out too late. Raises BackupFailed."""
    if missing := secrets_needed.missing(manifest.keys):
        words = "; ".join(missing)
        if not without_keys:
            raise BackupFailed(
                f"What is stored could not be read with the secrets of this process: {words}. Set those that "
                "were set when the backup was made, or restore --without-keys and lose what they protect."
            )
    known = {f"{app}.{name}" for app, name in MigrationLoader(None, ignore_no_migrations=True).disk_migrations}
    if newer := sorted(set(manifest.migrations) - known):
        raise BackupFailed(
            f"The backup is of a newer release ({manifest.release or 'unnamed'}): this one does not know "
            f"{newer[-1]}, one of {len(newer)} migrations. Use that release."
        )
    if found := _relations():
        raise BackupFailed(
            f"The database is not empty: it has {found} tables. Create an empty one and point DATABASE_URL at it; "
            "nothing is ever restored over what is there."
        )
    if others := others_at_work():
        raise BackupFailed(
            f"Others work with this database as the same user: {', '.join(others)}. Stop web, gRPC, workers and "
            "beat first: they would send what is not yet held."
        )


def restore(store: S3Store, manifest: Manifest, way: Way, say: Say) -> None:
    """Raises BackupFailed; what a stream has begun is then undone, what was done in parallel is not."""
    free = shutil.disk_usage(way.folder).free
    if way.jobs > 1 and free > manifest.size * _SPARE:
        _in_parallel(store, manifest, way)
        return
    if way.jobs > 1:
        say(
            f"{way.folder} has {readable(free)} free, too little for {readable(manifest.size)}: as a stream, "
            "with one job."
        )
    # Read twice: a stream is applied before its end, and its hash, are seen.
    verify(store, manifest.name, manifest.size, manifest.sha256)
    _as_stream(store, manifest)


def _in_parallel(store: S3Store, manifest: Manifest, way: Way) -> None:
    with tempfile.TemporaryDirectory(prefix="recado-restore-", dir=way.folder) as folder:
        path = Path(folder) / "dump"
        # Readable by nobody else: this is everything, in clear.
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as dump:
            age.decrypt(_pieces(store, manifest), dump)
        with postgres_tools.running("pg_restore", *_ARGUMENTS, *_to(), f"--jobs={way.jobs}", str(path)):
            pass


def _as_stream(store: S3Store, manifest: Manifest) -> None:
    arguments = (*_ARGUMENTS, *_to(), "--single-transaction")
    with postgres_tools.running("pg_restore", *arguments, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        age.decrypt(_pieces(store, manifest), process.stdin)


def _pieces(store: S3Store, manifest: Manifest) -> Iterator[bytes]:
    return read_whole(store, manifest.name, manifest.size, manifest.sha256)


# Whoever restores owns what is restored; rights of the old server's users mean nothing here.
_ARGUMENTS = ("--exit-on-error", "--no-owner", "--no-privileges", "--no-comments")


def _to() -> tuple[str, ...]:
    return (f"--dbname={postgres_tools.conninfo()}",)


def others_at_work() -> list[str]:
    """Who they say they are, and from where."""
    # Those of our own pool would be counted; the next question opens it again.
    engine: Any = connection
    engine.close()
    engine.close_pool()
    with psycopg.connect(postgres_tools.conninfo(), password=postgres_tools.password()) as own:
        return [who for (who,) in own.execute(_OTHERS).fetchall()]


# Whoever only watches the server says so.
_OTHERS = """
SELECT DISTINCT concat_ws(' at ', coalesce(nullif(application_name, ''), 'somebody'), host(client_addr)) AS who
  FROM pg_stat_activity
 WHERE datname = current_database() AND usename = current_user AND backend_type = 'client backend'
   AND pid <> pg_backend_pid() AND application_name <> 'postgres_exporter'
 ORDER BY who
 LIMIT 20
"""


def _relations() -> int:
    with connection.cursor() as cursor:
        cursor.execute(_RELATIONS)
        return int(cursor.fetchone()[0])


# What an extension brought along, such as views of statistics, was there before anybody used it.
_RELATIONS = """
SELECT count(*)
  FROM pg_class JOIN pg_namespace ON pg_namespace.oid = pg_class.relnamespace
 WHERE pg_class.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
   AND pg_namespace.nspname NOT LIKE 'pg\\_%' AND pg_namespace.nspname <> 'information_schema'
   AND NOT EXISTS (SELECT 1 FROM pg_depend WHERE pg_depend.objid = pg_class.oid AND pg_depend.deptype = 'e')
"""
