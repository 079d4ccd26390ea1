"""Bring every encrypted value under the first key of ENCRYPTION_KEYS."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.core.encryption import UnreadableSecret, keyring
from apps.core.rotation import places


class Command(BaseCommand):
    help = (
        "Re-encrypts every stored secret under the first key of ENCRYPTION_KEYS. Safe to run beside the "
        "system, to interrupt and to run again. An old key may be removed once this says that nothing is left."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--batch-size", type=int, default=500, help="values re-encrypted in one transaction")

    def handle(self, *_args: Any, batch_size: int, **_options: Any) -> None:
        if batch_size < 1:
            raise CommandError("--batch-size must be 1 or more.")
        self.stdout.write(f"Current key: {keyring().primary}")
        for name, rotate_batch in places():
            total = 0
            try:
                while done := rotate_batch(batch_size):
                    total += done
                    self.stdout.write(f"  {name}: {total} …")
            except UnreadableSecret as error:
                raise CommandError(f"{name}: {error}") from error
            self.stdout.write(f"  {name}: {total} re-encrypted, none left")
