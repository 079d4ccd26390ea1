"""Which secrets a restored database needs: their names and fingerprints, never themselves."""

import hashlib
from collections.abc import Mapping

from django.conf import settings

VAULT = "VAULT_DIGEST_KEY"
_ENCRYPTION = "ENCRYPTION_KEYS"


def fingerprints() -> dict[str, str]:
    """All that this process has. What is stored may be under any of the encryption keys."""
    named = {f"{_ENCRYPTION} {name}": key for name, key in settings.ENCRYPTION_KEYS.items()}
    return {name: _fingerprint(key) for name, key in {**named, VAULT: settings.VAULT_DIGEST_KEY}.items()}


def missing(needed: Mapping[str, str]) -> list[str]:
    """What to say of each that is not here, or is another one under the same name."""
    here = fingerprints()
    return [
        f"{name} is {'not here' if name not in here else 'another one here'}"
        for name, fingerprint in needed.items()
        if here.get(name) != fingerprint
    ]


def _fingerprint(key: str) -> str:
    """Of a random key of 32 characters or more, so that nothing is learned by guessing."""
    return hashlib.sha256(b"recado backup fingerprint " + key.encode()).hexdigest()[:16]
