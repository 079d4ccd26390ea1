from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from apps.files.sweep import sweep


class Command(BaseCommand):
    help = "Abort abandoned uploads, remove files that nothing refers to or that were kept long enough."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only say what would go")

    def handle(self, *_args: Any, **options: Any) -> None:
        swept = sweep(dry_run=options["dry_run"])
        if options["dry_run"]:
            for name in swept.names:
                self.stdout.write(name)
        would = "would be " if options["dry_run"] else ""
        self.stdout.write(
            f"{swept.abandoned_uploads} abandoned uploads {would}aborted; "
            f"{swept.unused_files} unused files ({swept.unused_bytes} bytes) and "
            f"{swept.outlived_files} files kept long enough ({swept.outlived_bytes} bytes) {would}removed."
        )
