"""A backup is made, read back, refused when it is not what was written, and pruned."""

import io
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import orjson
import psycopg
import pyrage
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from pytest_django import Settings

from apps.core import clock
from apps.files.stores.s3 import S3Store
from apps.files.stores.store import Part, StoreUnavailable
from apps.operations.backup import catalogue, places, postgres_tools, snapshot
from apps.operations.backup.manifest import Manifest
from apps.operations.backup.part_writer import PartWriter, part_bytes
from apps.operations.backup.problem import AnotherIsAtWork, BackupFailed
from apps.operations.backup.prune import prune, taken_at
from apps.operations.backup.restore import check
from apps.operations.backup.take import take
from apps.operations.backup.verify import verify
from tests.files.servers import S3

pytestmark = pytest.mark.django_db(transaction=True)

AGE = b"age-encryption.org/v1"


def run(command: str, *arguments: str) -> str:
    out = io.StringIO()
    call_command(command, *arguments, stdout=out)
    return out.getvalue()


def test_backup_is_encrypted_and_counted_only_with_its_manifest(
    s3: S3, storage: S3Store, settings: Settings, identity: pyrage.x25519.Identity
) -> None:
    made = take(storage)
    assert sorted(s3.objects()) == [places.dump_key(made.name), places.manifest_key(made.name)]
    content = b"".join(storage.read(places.dump_key(made.name)))
    assert content.startswith(AGE)
    assert b"PGDMP" not in content
    assert pyrage.decrypt(content, [identity]).startswith(b"PGDMP")
    assert made.verified == "hash"
    assert made.size == len(content)
    assert "messaging.0001_position" in made.migrations
    assert made.keys.keys() == {"ENCRYPTION_KEYS test", "VAULT_DIGEST_KEY"}
    said = b"".join(storage.read(places.manifest_key(made.name))).decode()
    assert not any(key in said for key in (*settings.ENCRYPTION_KEYS.values(), settings.VAULT_DIGEST_KEY))
    storage.remove(places.manifest_key(made.name))
    assert catalogue.names(storage) == []


def test_backup_needs_no_secret_key_and_its_contents_are_read_where_there_is_one(
    storage: S3Store, settings: Settings, identity: pyrage.x25519.Identity
) -> None:
    made = take(storage)
    settings.BACKUP_IDENTITY = f"# created: today\n# public key: …\n{identity}\n"
    assert verify(storage, made.name, made.size, made.sha256) == "contents"
    settings.BACKUP_IDENTITY = str(pyrage.x25519.Identity.generate())
    with pytest.raises(BackupFailed, match="cannot be decrypted"):
        verify(storage, made.name, made.size, made.sha256)


def test_what_is_not_what_was_written_is_found(storage: S3Store, settings: Settings) -> None:
    made = take(storage)
    key = places.dump_key(made.name)
    content = bytearray(b"".join(storage.read(key)))
    content[len(content) // 2] ^= 1
    storage.put(key, content)
    with pytest.raises(BackupFailed, match="is not what was written"):
        verify(storage, made.name, made.size, made.sha256)
    storage.put(key, content[:-1])
    with pytest.raises(BackupFailed, match=f"{made.size - 1} bytes of {made.size}"):
        verify(storage, made.name, made.size, made.sha256)


@pytest.mark.parametrize(
    "change", [{"sha256": "0" * 64}, {"migrations": []}, {"taken_at": "2030-01-01T00:00:00+00:00"}]
)
def test_a_changed_manifest_is_refused(storage: S3Store, change: dict[str, Any]) -> None:
    """Whoever reaches the storage can encrypt to the public key too, and put something there."""
    made = take(storage)
    said = orjson.loads(made.sealed()) | change
    with pytest.raises(BackupFailed, match="was changed"):
        Manifest.read(orjson.dumps(said))


def test_a_manifest_is_of_the_backup_beside_it(storage: S3Store) -> None:
    older, newer = take(storage), take(storage)
    storage.put(places.manifest_key(newer.name), older.sealed())
    with pytest.raises(BackupFailed, match="is of another backup"):
        catalogue.manifest(storage, newer.name)


class Broken(S3Store):
    """Takes the first part, and no other."""

    def put_part(self, key: str, upload: str, number: int, content: bytes | bytearray) -> Part:
        if number > 1:
            raise StoreUnavailable("The storage answers 503.")
        return super().put_part(key, upload, number, content)


def test_a_broken_upload_leaves_nothing(s3: S3, storage: S3Store, settings: Settings) -> None:
    def write() -> None:
        with PartWriter(Broken(**settings.BACKUP_S3), "recado/x.dump.age", 5 * 1024**2) as writer:
            for _ in range(4):
                writer.write(bytes(5 * 1024**2))
            writer.finish()

    with pytest.raises(StoreUnavailable):
        write()
    assert (s3.objects(), s3.unfinished()) == ([], [])


def test_parts_are_put_together_as_they_were_written(storage: S3Store) -> None:
    pieces = [bytes([n]) * 700_000 for n in range(30)]
    with PartWriter(storage, "recado/x.dump.age", 5 * 1024**2) as writer:
        for piece in pieces:
            writer.write(piece)
        writer.finish()
    assert b"".join(storage.read("recado/x.dump.age")) == b"".join(pieces)


@pytest.mark.parametrize(("database", "part"), [(0, 16 * 1024**2), (10**9, 16 * 1024**2), (10**12, 100_010_002)])
def test_parts_are_large_enough_for_the_database(database: int, part: int) -> None:
    assert part_bytes(database) == part


def test_a_dump_that_fails_half_way_leaves_nothing(
    s3: S3, storage: S3Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its beginning looks like any other's."""
    real = postgres_tools.running

    @contextmanager
    def failing(name: str, *arguments: str, **pipes: Any) -> Iterator[subprocess.Popen[bytes]]:
        with real(name, *arguments, "--table=there_is_no_such_table", "--strict-names", **pipes) as process:
            yield process

    monkeypatch.setattr(postgres_tools, "running", failing)
    with pytest.raises(BackupFailed, match="no matching tables"):
        take(storage)
    assert (s3.objects(), s3.unfinished()) == ([], [])


def test_what_cannot_be_read_back_leaves_nothing(
    s3: S3, storage: S3Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> str:
        raise BackupFailed("is not what was written")

    monkeypatch.setattr("apps.operations.backup.take.verify", fails)
    with pytest.raises(BackupFailed):
        take(storage)
    assert s3.objects() == []


def test_two_at_once_take_turns_or_leave(s3: S3) -> None:
    is_at_work, may_end = threading.Event(), threading.Event()

    def other() -> None:
        with snapshot.taken():
            is_at_work.set()
            may_end.wait(30)

    thread = threading.Thread(target=other)
    thread.start()
    try:
        assert is_at_work.wait(30)
        with pytest.raises(AnotherIsAtWork), snapshot.taken():
            pass
        with pytest.raises(CommandError, match="Another backup") as refused:
            run("backup")
        assert refused.value.returncode == 75
    finally:
        may_end.set()
        thread.join()
    assert "hash verified" in run("backup", "--wait", "30")


def test_what_is_missing_is_said(s3: S3, settings: Settings) -> None:
    settings.BACKUP_RECIPIENT = []
    with pytest.raises(CommandError, match="Set BACKUP_RECIPIENT"):
        run("backup")
    settings.BACKUP_RECIPIENT = ["age1nonsense"]
    with pytest.raises(CommandError, match="no public key"):
        run("backup")
    settings.BACKUP_S3_BUCKET = ""
    with pytest.raises(CommandError, match="Set BACKUP_S3_BUCKET"):
        run("backup")


def manifest_of(name: str) -> Manifest:
    at = taken_at(name)
    assert at is not None
    return Manifest(name, at, 1.0, 4, "", 0, "18", "", [], {}, {}, "hash")


def test_pruning_removes_what_the_policy_does_not_keep_and_nothing_of_others(
    s3: S3, storage: S3Store, settings: Settings
) -> None:
    settings.BACKUP_KEEP_DAILY, settings.BACKUP_KEEP_WEEKLY, settings.BACKUP_KEEP_MONTHLY = 2, 0, 0
    old = [f"202601{day:02}T030000Z-abcdef" for day in (1, 2, 3)]
    for name in old:
        storage.put(places.dump_key(name), b"dump")
        storage.put(places.manifest_key(name), manifest_of(name).sealed())
    # Of another installation, or of somebody who would have ours pruned.
    forged = [f"20990101T0000{second:02}Z-abcdef" for second in range(5)]
    for name in forged:
        storage.put(places.manifest_key(name), b"{}")
    others = ["other/20200101T030000Z-abcdef.json", "recado/below/20200101T030000Z-abcdef.json",
              "recado/notes.txt", "recado/notes.json", "recado-two/20200101T030000Z-abcdef.json"]  # fmt: skip
    for key in others:
        storage.put(key, b"not ours")
    # What a run that died has left: long ago, and now.
    young = f"{clock.now() - timedelta(hours=3):%Y%m%dT%H%M%SZ}-abcdef"
    for name in ("20260101T040000Z-fedcba", young):
        storage.put(places.dump_key(name), b"half a dump")
    pruned = prune(storage)
    assert (pruned.backups, pruned.strangers, pruned.leftovers) == ([old[0]], forged, 1)
    left = [key for name in old[1:] for key in (places.dump_key(name), places.manifest_key(name))]
    left += [places.manifest_key(name) for name in forged]
    assert sorted(s3.objects()) == sorted([*left, *others, places.dump_key(young)])


def test_backups_are_listed_and_one_is_read_back(s3: S3, settings: Settings) -> None:
    run("backup")
    (name,) = catalogue.names(places.backup_store())
    assert run("list_backups").startswith(name)
    assert "hash verified" in run("list_backups", "--verify", "latest")
    with pytest.raises(CommandError, match="There is no backup"):
        run("list_backups", "--verify", "20200101T000000Z-000000")


def test_restore_refuses_a_database_that_is_not_empty(storage: S3Store) -> None:
    with pytest.raises(BackupFailed, match="is not empty"):
        check(take(storage), without_keys=False)


def test_restore_says_before_it_starts_which_secrets_are_missing(storage: S3Store, settings: Settings) -> None:
    made = take(storage)
    kept = settings.ENCRYPTION_KEYS
    settings.ENCRYPTION_KEYS = {"other": kept["test"]}
    settings.VAULT_DIGEST_KEY = "another one of thirty-two characters"
    with pytest.raises(BackupFailed, match="ENCRYPTION_KEYS test is not here; VAULT_DIGEST_KEY is another one"):
        check(made, without_keys=False)


def test_restore_refuses_a_backup_of_a_newer_release(storage: S3Store) -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO django_migrations (app, name, applied) VALUES ('messaging', '9999_x', now())")
    try:
        with pytest.raises(BackupFailed, match=r"does not know messaging\.9999_x"):
            check(take(storage), without_keys=False)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM django_migrations WHERE name = '9999_x'")


def test_no_program_is_told_the_password_on_its_command_line() -> None:
    password = str(connection.settings_dict["PASSWORD"])
    assert password
    assert password not in postgres_tools.conninfo()
    with psycopg.connect(postgres_tools.conninfo(), password=postgres_tools.password()) as own:
        assert own.execute("SELECT 1").fetchone() == (1,)
