"""What is made once and kept: a tool that is unpacked, packages that are installed."""

import fcntl
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def once(folder: Path, name: str, made_from: bytes) -> Iterator[bool]:
    """Whether it must be made; stamped when that went well. Processes that ask together wait for the first."""
    fingerprint = hashlib.sha256(made_from).hexdigest()
    stamp = folder / f"{name}.sha256"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if stamp.exists() and stamp.read_text() == fingerprint:
            yield False
            return
        stamp.unlink(missing_ok=True)
        yield True
        stamp.write_text(fingerprint)
