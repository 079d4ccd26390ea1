"""The application as a process of its own, as users meet it."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import httpx
from django.conf import settings

from local.ports import HOST, answers, free_port
from local.processes import Process


@dataclass(frozen=True)
class Server:
    url: str
    log: Path
    # Its local disk, where it has no S3.
    files: Path
    process: Process

    def client(self, credential: str = "") -> httpx.Client:
        headers = {"Authorization": credential} if credential else {}
        return httpx.Client(base_url=self.url, headers=headers, timeout=30, trust_env=False)


def environment_of(folder: Path, url: str, **changed: str) -> dict[str, str]:
    """What each process of the application is started with, to be found at `url` and over this run's servers."""
    database = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{settings.DATABASES['default']['NAME']}")
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "project.settings.dev",
        "DEBUG": "false",
        "DATABASE_URL": urlunsplit(database),
        "MAIL_FOLDER": str(folder / "mail"),
        "PUBLIC_URL": url,
        "FILES_FOLDER": str(folder / "files"),
        "API_RATE_PER_SECOND": "10000",
        "API_BURST": "10000",
        "CORS_ALLOWED_ORIGINS": "https://app.aurora.example",
        "PYTHONUNBUFFERED": "1",
        **changed,
    }


@contextmanager
def run_server(folder: Path, drain: int = 0, /, **changed: str) -> Iterator[Server]:
    port = free_port()
    url = f"http://{HOST}:{port}"
    environment = environment_of(folder, url, **changed)
    listening = ("--host", HOST, "--port", str(port), "--drain", str(drain))
    command: list[str | Path] = [sys.executable, "-m", "project.web", *listening]
    process = Process("web", command, folder / "web.log", env=environment)
    process.start()
    try:
        process.wait_until(lambda: answers(f"{url}/healthz"))
        yield Server(url, process.log, folder / "files", process)
    finally:
        process.stop()
