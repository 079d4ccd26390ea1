import signal
import sys
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.files.stores.store import StoreFailed
from apps.operations.backup.places import backup_store
from apps.operations.backup.problem import AnotherIsAtWork, BackupFailed
from apps.operations.backup.prune import prune
from apps.operations.backup.sizes import readable
from apps.operations.backup.take import take

FAILED, NOT_NOW = 1, 75
_LOOK_SECONDS = 5


class Command(BaseCommand):
    help = (
        "Dumps the database, encrypted, into the storage for backups, reads it back, and forgets those that the "
        "policy does not keep. Ends with 0 when all is done, with 75 when another one is at work, else with 1."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--wait", type=int, default=0, help="so many seconds for another one to end")
        parser.add_argument("--no-prune", action="store_true", help="leave all backups")

    def handle(self, *_args: Any, wait: int, no_prune: bool, **_options: Any) -> None:
        # What is half done is put away, as after any failure.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
        try:
            store = backup_store()
            made = _take_within(wait)
            self.stdout.write(
                f"{made.name}: {readable(made.size)} of a database of {readable(made.database_bytes)}, "
                f"{made.seconds:.1f} s, {made.verified} verified"
            )
            if not no_prune:
                pruned = prune(store)
                self.stdout.write(f"{len(pruned.backups)} old ones removed, {pruned.leftovers} leftovers")
                if pruned.strangers:
                    self.stderr.write(
                        f"Left alone, because no key of ours has sealed them: {', '.join(pruned.strangers[:10])}"
                    )
        except AnotherIsAtWork as problem:
            raise CommandError(str(problem), returncode=NOT_NOW) from problem
        except (BackupFailed, StoreFailed) as problem:
            raise CommandError(str(problem), returncode=FAILED) from problem


def _take_within(seconds: int) -> Any:
    deadline = time.monotonic() + seconds
    while True:
        try:
            return take(backup_store())
        except AnotherIsAtWork:
            if time.monotonic() >= deadline:
                raise
            time.sleep(min(_LOOK_SECONDS, max(0.1, deadline - time.monotonic())))
