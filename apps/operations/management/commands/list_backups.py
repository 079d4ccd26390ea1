from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.files.stores.store import StoreFailed
from apps.operations.backup import catalogue
from apps.operations.backup.places import backup_store
from apps.operations.backup.problem import BackupFailed
from apps.operations.backup.sizes import readable
from apps.operations.backup.verify import verify


class Command(BaseCommand):
    help = "Lists the backups that count, the oldest first, or reads one of them back."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--verify",
            metavar="NAME",
            help="read this one (or 'latest') and compare its hash; with BACKUP_IDENTITY also unpack it",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            if options["verify"]:
                self._verify(options["verify"])
            else:
                self._list()
        except (BackupFailed, StoreFailed) as problem:
            raise CommandError(str(problem)) from problem

    def _verify(self, name: str) -> None:
        store = backup_store()
        found = catalogue.manifest(store, name)
        what = verify(store, found.name, found.size, found.sha256)
        self.stdout.write(f"{found.name}: {readable(found.size)} read, {what} verified")

    def _list(self) -> None:
        store = backup_store()
        for name in catalogue.names(store):
            try:
                found = catalogue.manifest(store, name, key_may_be_gone=True)
            except BackupFailed as problem:
                self.stdout.write(f"{name}  {problem}")
                continue
            waiting = ", ".join(f"{count} {state}" for state, count in found.waiting.items()) or "nothing waiting"
            self.stdout.write(
                f"{name}  {found.taken_at:%Y-%m-%d %H:%M:%S} UTC  {readable(found.size):>9}  "
                f"PostgreSQL {found.postgres}  {found.release or 'no release'}  {found.verified} verified  "
                f"{waiting}"
            )
