"""Where it all happens: throw-away servers on loopback, and the environment of everything that is started.

PostgreSQL and Valkey are set as in the demo, durable, and are the same for every contender.
"""

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.nginx import Provider
from local.places import ROOT
from local.ports import free_port
from local.postgres import PostgresServer
from local.processes import ProcessFailed
from local.valkey import ValkeyServer

APP_SECRET = secrets.token_urlsafe()


@dataclass(frozen=True)
class Stage:
    folder: Path
    provider: Provider
    # A short form: the same figures from fewer messages.
    is_quick: bool

    def tell(self, news: str) -> None:
        """What was found on the way; the table comes last."""
        print(f"    {news}", flush=True)

    def choose[T](self, usual: T, quick: T) -> T:
        return quick if self.is_quick else usual


@contextmanager
def open_stage(*, is_quick: bool) -> Iterator[Stage]:
    with ExitStack() as running:
        folder = Path(tempfile.mkdtemp(prefix="recado-bench-"))
        running.callback(shutil.rmtree, folder, ignore_errors=True)
        folder.chmod(0o755)  # PostgreSQL may run as another user; its own folder stays closed
        password = secrets.token_urlsafe()
        postgres = PostgresServer(folder / "postgres", free_port(), password, folder / "postgres.log")
        running.callback(postgres.stop)
        postgres.start()
        valkey = ValkeyServer(folder / "valkey", free_port(), password, folder / "valkey.log")
        running.callback(valkey.stop)
        valkey.start()
        provider = Provider(folder / "nginx")
        provider.start()
        running.callback(provider.stop)
        os.environ.update(
            {
                "DJANGO_SETTINGS_MODULE": "project.settings.dev",
                "DEBUG": "false",
                "LOG_LEVEL": "warning",
                "DATABASE_URL": postgres.url,
                "REDIS_URL": valkey.url,
                "WHATSAPP_CLOUD_URL": provider.url,
                "OUTBOUND_ALLOWED_NETWORKS": "127.0.0.0/8",
                "API_RATE_PER_SECOND": "100000",
                "API_BURST": "100000",
                "MAIL_FOLDER": str(folder / "mail"),
                "PYTHONUNBUFFERED": "1",
            }
        )
        _migrate()
        yield Stage(folder, provider, is_quick)


def _migrate() -> None:
    command: list[str | Path] = [sys.executable, ROOT / "manage.py", "migrate", "--no-input", "--verbosity", "0"]
    ran = subprocess.run(command, check=False, capture_output=True, text=True)
    if ran.returncode:
        raise ProcessFailed(f"The migrations failed.\n{ran.stderr}")
