"""What is known of a backup without reading it, sealed with a key that whoever only reaches the storage has not.

Anybody can encrypt to a public key. The seal is what tells a backup of ours from one that was put there.
"""

import hashlib
import hmac
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from typing import Any

import orjson
from django.conf import settings

from apps.operations.backup.problem import BackupFailed

FORMAT = 1
LARGEST = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Manifest:
    name: str
    # The moment that the database is restored to, by its own clock.
    taken_at: datetime
    seconds: float
    # Of the encrypted dump.
    size: int
    sha256: str
    # On the server's disk.
    database_bytes: int
    postgres: str
    release: str
    migrations: list[str]
    # Deliveries by their state.
    waiting: dict[str, int]
    # Fingerprints by name.
    keys: dict[str, str]
    # What was read back before it counted: "hash", or "contents" where it could be decrypted.
    verified: str
    format: int = field(default=FORMAT)

    def sealed(self) -> bytes:
        said = asdict(self)
        key_name = next(iter(settings.ENCRYPTION_KEYS))
        seal = {"key": key_name, "hmac": _seal(key_name, said)}
        return orjson.dumps({**said, "seal": seal}, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)

    @classmethod
    def read(cls, content: bytes, *, key_may_be_gone: bool = False) -> "Manifest":
        """Raises BackupFailed where it is not ours, or was changed."""
        try:
            said = orjson.loads(content)
            seal = said.pop("seal")
            if said["format"] != FORMAT:
                raise BackupFailed(f"This manifest is of format {said['format']}. Use the release that wrote it.")
            known = {each.name for each in fields(cls)}
            manifest = cls(**{name: value for name, value in said.items() if name in known} | _times(said))
            key_name, digest = str(seal["key"]), str(seal["hmac"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise BackupFailed(f"This is no manifest of a backup ({type(error).__name__}).") from error
        if key_name not in settings.ENCRYPTION_KEYS:
            if key_may_be_gone:
                return manifest
            raise BackupFailed(f"The manifest is sealed with ENCRYPTION_KEYS {key_name}, which is not here.")
        if not hmac.compare_digest(digest, _seal(key_name, said)):
            raise BackupFailed(
                f"The manifest of {manifest.name} was changed, or ENCRYPTION_KEYS {key_name} is another one here. "
                "Do not restore from it."
            )
        return manifest


def _times(said: dict[str, Any]) -> dict[str, datetime]:
    return {"taken_at": datetime.fromisoformat(said["taken_at"])}


def _seal(key_name: str, said: dict[str, Any]) -> str:
    key = settings.ENCRYPTION_KEYS[key_name].encode()
    content = orjson.dumps(said, option=orjson.OPT_SORT_KEYS)
    return hmac.new(key, b"recado backup manifest " + content, hashlib.sha256).hexdigest()
