import os
import signal
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from apps.core import clock
from apps.files.stores.store import StoreFailed
from apps.operations.backup import catalogue, hold
from apps.operations.backup.places import backup_store
from apps.operations.backup.problem import BackupFailed
from apps.operations.backup.restore import Way, check, others_at_work, restore
from apps.operations.backup.settle import lift_limits, settle
from apps.operations.backup.sizes import readable

_JOBS = min(4, os.cpu_count() or 1)


class Command(BaseCommand):
    help = (
        "Fills an empty database from a backup, migrates it and makes it safe to work with: every channel account "
        "is held until somebody has looked at what waits and runs this again with --release."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", nargs="?", default=catalogue.NEWEST, help="as list_backups names it")
        what = parser.add_mutually_exclusive_group()
        what.add_argument(
            "--settle-only",
            action="store_true",
            help="the database came back another way (to a point in time, from a snapshot): only make it safe",
        )
        what.add_argument("--review", action="store_true", help="only say what waits in held accounts")
        what.add_argument("--release", action="store_true", help="let held accounts go on")
        parser.add_argument(
            "--also-at-most-once",
            action="store_true",
            help="with --release: also accounts that never send anything twice, whatever may have been sent",
        )
        parser.add_argument(
            "--no-hold",
            action="store_true",
            help="let messages leave at once: right only where nothing was sent after the backup",
        )
        parser.add_argument("--without-keys", action="store_true", help="although secrets are missing")
        parser.add_argument(
            "--jobs", type=int, default=_JOBS, help="at once, from a temporary file; 1 needs no disk"
        )
        parser.add_argument(
            "--folder", type=Path, default=Path(tempfile.gettempdir()), help="where that file, in clear, may lie"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        # What is half done is put away, the decrypted file above all.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
        try:
            if options["review"]:
                self._review()
            elif options["release"]:
                self._release(also_at_most_once=options["also_at_most_once"])
            elif options["settle_only"]:
                self._settle(None, holds=not options["no_hold"])
            else:
                self._restore(**options)
        except (BackupFailed, StoreFailed) as problem:
            raise CommandError(str(problem)) from problem

    def _restore(
        self, *, name: str, no_hold: bool, without_keys: bool, jobs: int, folder: Path, **_options: Any
    ) -> None:
        store = backup_store()
        manifest = catalogue.manifest(store, name, key_may_be_gone=without_keys)
        check(manifest, without_keys=without_keys)
        age = clock.now() - manifest.taken_at
        self.stdout.write(
            f"{manifest.name}: {readable(manifest.size)}, PostgreSQL {manifest.postgres}, taken "
            f"{age.total_seconds() / 3600:.1f} hours ago. What happened since is not in it."
        )
        started = time.monotonic()
        restore(store, manifest, Way(max(1, jobs), folder), self.stdout.write)
        restored = time.monotonic()
        lift_limits()
        call_command("migrate", interactive=False, verbosity=0, stdout=self.stdout)
        self._settle(manifest.taken_at, holds=not no_hold)
        if others := others_at_work():
            self.stdout.write(
                f"Others came while it was restored: {', '.join(others)}. What was to be held may have left; stop "
                "them, create another empty database, and restore into that."
            )
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        self.stdout.write(
            f"restored in {restored - started:.1f} s, ready {time.monotonic() - restored:.1f} s later"
        )

    def _settle(self, taken_at: datetime | None, *, holds: bool) -> None:
        settled = settle(taken_at, holds=holds)
        if settled.is_renumbered:
            self.stdout.write("The events carry numbers of this server now.")
        if settled.has_new_epoch is None:
            self.stdout.write("Redis does not answer. Empty it before anything starts.")
        if holds:
            self.stdout.write(
                f"{settled.held} channel accounts are held; `restore_backup --release` lets them go."
            )
            self._review()

    def _review(self) -> None:
        for each in hold.waiting():
            promise = "at most once" if each.at_most_once else "at least once"
            self.stdout.write(
                f"  {each.organization} / {each.account} ({each.connector}, {promise}): {each.messages} wait, "
                f"{each.overdue} of them since before now, the oldest since {each.oldest:%Y-%m-%d %H:%M:%S} UTC"
            )

    def _release(self, *, also_at_most_once: bool) -> None:
        number = hold.release(also_at_most_once=also_at_most_once)
        self.stdout.write(f"{number} channel accounts go on.")
        left = hold.held()
        if left:
            self.stdout.write(
                f"{left} that send at most once stay held. Cancel what may have been sent, then release them with "
                "--also-at-most-once, or one by one in the admin."
            )
