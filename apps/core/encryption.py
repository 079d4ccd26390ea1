"""Encryption at rest, under keys that can be changed without stopping.

A value is stored as `<key name>:<Fernet token>`. The name says which key to use, and lets the rotation find
what is still under an old one, as often as it is interrupted. The first key of ENCRYPTION_KEYS encrypts;
all of them decrypt.
"""

from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

SEPARATOR = ":"


class UnreadableSecret(Exception):
    """A stored value cannot be decrypted: its key left ENCRYPTION_KEYS too early, or the value was altered."""


class Keyring:
    def __init__(self, keys: dict[str, str]) -> None:
        """By name; the first encrypts, all of them decrypt."""
        self._keys = {name: Fernet(key) for name, key in keys.items()}
        self._any = MultiFernet(list(self._keys.values()))
        self.primary = next(iter(keys))

    @property
    def current_prefix(self) -> str:
        return self.primary + SEPARATOR

    def encrypt(self, text: str) -> str:
        return self.current_prefix + self._any.encrypt(text.encode()).decode()

    def decrypt(self, stored: str) -> str:
        name, _, token = stored.partition(SEPARATOR)
        key = self._keys.get(name)
        if key is None:
            raise UnreadableSecret(
                f"No key named {name!r} in ENCRYPTION_KEYS. Put it back behind the current one."
            )
        try:
            return key.decrypt(token).decode()
        except InvalidToken as error:
            raise UnreadableSecret(
                f"A value under key {name!r} was altered, or that key's value changed."
            ) from error

    def renew(self, stored: str) -> str:
        return self.encrypt(self.decrypt(stored))


@lru_cache(maxsize=4)
def _keyring(keys: tuple[tuple[str, str], ...]) -> Keyring:
    return Keyring(dict(keys))


def keyring() -> Keyring:
    return _keyring(tuple(settings.ENCRYPTION_KEYS.items()))


def is_encryption_key(text: str) -> bool:
    try:
        Fernet(text)
    except ValueError:
        return False
    return True


def generate_key() -> str:
    return Fernet.generate_key().decode()
