"""Print a new key for ENCRYPTION_KEYS."""

from typing import Any

from django.core.management.base import BaseCommand

from apps.core import clock
from apps.core.encryption import generate_key


class Command(BaseCommand):
    help = "Prints a new name:key word. Put it in front of ENCRYPTION_KEYS, then run rotate_encryption_keys."
    requires_system_checks = ()

    def handle(self, *_args: Any, **_options: Any) -> None:
        self.stdout.write(f"k{clock.now():%Y%m%d}:{generate_key()}")
