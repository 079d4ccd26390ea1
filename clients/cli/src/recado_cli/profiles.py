"""What is kept between two runs: where the server is, and the way in. Readable by nobody else."""

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from recado_cli.failures import BadUsage, Failed

try:
    import fcntl
except ImportError:  # Windows: two commands at once may log each other out
    fcntl = None  # type: ignore[assignment]

_NAME = re.compile(r"[A-Za-z0-9._-]{1,60}")


@dataclass
class Profile:
    """Either an API key, or a person's tokens."""

    url: str
    grpc: str
    insecure: bool = False
    api_key: str = ""
    email: str = ""
    refresh: str = ""
    access: str = ""
    # Seconds since 1970.
    expires_at: float = 0.0


class Profiles:
    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or _config_home() / "recado"

    def read(self, name: str) -> Profile | None:
        path = self._path(name)
        try:
            return Profile(**json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError) as error:
            raise Failed(f"{path} cannot be read ({error}). Remove it and log in again.") from error

    def write(self, name: str, profile: Profile) -> Path:
        """Whole or not at all: a refresh token that is lost logs its owner out."""
        path = self._path(name)
        self._make_folder()
        beside = path.with_suffix(".new")
        beside.unlink(missing_ok=True)
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(asdict(profile), file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
        return path

    def remove(self, name: str) -> None:
        self._path(name).unlink(missing_ok=True)

    def names(self) -> list[str]:
        return sorted(path.stem for path in self._folder.glob("*.json"))

    @contextmanager
    def only_one(self, name: str) -> Iterator[None]:
        """A refresh token works once, and using it twice ends the session: one command at a time refreshes."""
        self._make_folder()
        path = self._path(name).with_suffix(".lock")
        with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "w") as lock:
            if fcntl is not None:
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _make_folder(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name) or name.startswith("."):
            raise BadUsage(f"{name!r} is no name of a profile: letters, digits, dots, dashes and underscores.")
        return self._folder / f"{name}.json"


def _config_home() -> Path:
    given = os.environ.get("XDG_CONFIG_HOME", "")
    return Path(given) if given.startswith("/") else Path.home() / ".config"
