"""Model fields that several apps need."""

from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from apps.core.encryption import keyring


class EncryptedTextField(models.TextField[str, str]):
    """Text that only the application can read; in the database it is a token.

    It cannot be searched: equal texts have different tokens. `rotate_encryption_keys` finds every field of
    this type by itself.
    """

    description = "Encrypted text"

    def get_prep_value(self, value: Any) -> Any:
        value = super().get_prep_value(value)
        return value if value is None else keyring().encrypt(value)

    def from_db_value(self, value: str | None, _expression: Any, _connection: BaseDatabaseWrapper) -> str | None:
        return value if value is None else keyring().decrypt(value)

    def get_lookup(self, lookup_name: str) -> Any:
        # A filter on tokens would silently find nothing.
        if lookup_name != "isnull":
            raise TypeError(f"{self.name} is encrypted and cannot be filtered by {lookup_name!r}")
        return super().get_lookup(lookup_name)
