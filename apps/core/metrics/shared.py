"""A worker's children count, and their parent shows: through files that both have in memory.

Each child has a place, by its number among its siblings, and whoever follows it there goes on counting in the same
file. So there are never more files than places, however often children are replaced, and nothing that a dead child
counted is lost.
"""

import atexit
import fcntl
import os
import shutil
import tempfile
import time
from pathlib import Path

from prometheus_client import values

from apps.core.metrics.declared import begin_again

_PREFIX = "recado-metrics-"
_LOCK = "lock"
_PARENT = "parent"
_BEING_MADE_SECONDS = 60

_folder: Path | None = None
_place = _PARENT


def begin() -> None:
    """Said by the parent before it has children. Counting begins anew, in a folder of its own."""
    global _folder  # noqa: PLW0603 - of the process
    _remove_left_behind()
    _folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    # Held until the last of parent and children has gone.
    fcntl.flock(os.open(_folder / _LOCK, os.O_CREAT | os.O_RDWR), fcntl.LOCK_SH)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(_folder)
    # The library chooses when it is imported, and Flower's command, which Celery loads first of all, imports it.
    values.ValueClass = values.MultiProcessValue(lambda: _place)  # type: ignore[no-untyped-call]
    begin_again()
    atexit.register(_end, os.getpid())


def take_place(number: int) -> None:
    """Said by a child before it counts. What its predecessor was just doing died with it."""
    global _place  # noqa: PLW0603 - of the process
    _place = str(number)
    if _folder is not None:
        for gauges in _folder.glob(f"gauge_*_{_place}.db"):
            gauges.unlink(missing_ok=True)


def folder() -> Path | None:
    """None where this process counts for itself."""
    return _folder


def _end(parent: int) -> None:
    if _folder is not None and os.getpid() == parent:
        shutil.rmtree(_folder, ignore_errors=True)


def _remove_left_behind() -> None:
    """Of workers that were killed: nobody holds the locks of those."""
    for old in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        try:
            held = os.open(old / _LOCK, os.O_RDWR)
        except OSError:  # somebody else's, or just being made or removed
            continue
        try:
            # One that is being made has a lock that nobody holds yet.
            if time.time() - os.fstat(held).st_mtime < _BEING_MADE_SECONDS:
                continue
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(old, ignore_errors=True)
        except OSError:
            pass
        finally:
            os.close(held)
