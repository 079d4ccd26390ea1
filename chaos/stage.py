"""Where it all happens: throw-away servers on loopback, the simulated providers and one web process."""

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx

from chaos.books import Books
from chaos.providers import Providers
from local.places import ROOT
from local.ports import HOST, answers, free_port
from local.postgres import PostgresServer
from local.processes import Process, ProcessFailed
from local.secrets_file import read_env
from local.valkey import ValkeyServer

READY_SECONDS = 120


@dataclass(frozen=True)
class Stage:
    folder: Path
    postgres: PostgresServer
    valkey: ValkeyServer
    providers: Providers
    books: Books
    url: str
    api_key: str
    app_secret: str
    # Of every process of Recado.
    environment: Mapping[str, str]

    def client(self, transport: httpx.BaseTransport | None = None) -> httpx.Client:
        headers = {"Authorization": f"Api-Key {self.api_key}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=30, trust_env=False, transport=transport)

    def another_web(self, drain: int = 0, grace: int = 1) -> tuple[Process, str]:
        """Beside the one that takes the providers' callbacks."""
        url = f"http://{HOST}:{free_port()}"
        process = web_process(self.folder, url, self.environment, drain, grace)
        process.start()
        process.wait_until(lambda: answers(f"{url}/readyz"), READY_SECONDS)
        return process, url


@contextmanager
def open_stage(durable: bool = True) -> Iterator[Stage]:
    """`durable`: servers as in production, which a test has no time for."""
    with ExitStack() as running:
        folder = Path(tempfile.mkdtemp(prefix="recado-chaos-"))
        running.callback(shutil.rmtree, folder, ignore_errors=True)
        folder.chmod(0o755)  # PostgreSQL may run as another user; its own folder stays closed
        password, app_secret = secrets.token_urlsafe(), secrets.token_urlsafe()
        options = () if durable else ("fsync=off", "full_page_writes=off")
        postgres = PostgresServer(folder / "postgres", free_port(), password, folder / "postgres.log", options)
        running.callback(postgres.stop)
        postgres.start()
        valkey = ValkeyServer(folder / "valkey", free_port(), password, folder / "valkey.log", durable)
        running.callback(valkey.stop)
        valkey.start()
        web, simulators = (f"http://{HOST}:{free_port()}" for _ in range(2))
        environment = recado_environment(postgres.url, valkey.url, web, simulators, folder, app_secret)
        processes = [
            simulators_process(folder, simulators, web, app_secret),
            web_process(folder, web, environment),
        ]
        for process in processes:
            running.callback(process.stop)
            process.start()
        manage(environment, "migrate", "--no-input", "--verbosity", "0")
        manage(environment, "seed_demo", "--env-file", str(folder / "demo.env"), "--url", web)
        for process, address in zip(processes, (f"{simulators}/control/healthz", f"{web}/readyz"), strict=True):
            process.wait_until(partial(answers, address), READY_SECONDS)
        providers = Providers(simulators)
        running.callback(providers.close)
        api_key = read_env(folder / "demo.env")["RECADO_API_KEY"]
        books = Books(postgres.url)
        yield Stage(folder, postgres, valkey, providers, books, web, api_key, app_secret, environment)


def recado_environment(  # noqa: PLR0917 - addresses of everything
    database: str, redis: str, web: str, simulators: str, folder: Path, app_secret: str
) -> Mapping[str, str]:
    """Of every process of Recado."""
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "project.settings.dev",
        "DEBUG": "false",
        "DATABASE_URL": database,
        "REDIS_URL": redis,
        "PUBLIC_URL": web,
        "MAIL_FOLDER": str(folder / "mail"),
        "WHATSAPP_CLOUD_URL": f"{simulators}/whatsapp/v23.0",
        "INSTAGRAM_URL": f"{simulators}/instagram/v23.0",
        "OUTBOUND_ALLOWED_NETWORKS": "127.0.0.0/8",
        "API_RATE_PER_SECOND": "100000",
        "API_BURST": "100000",
        "SIMULATORS_APP_SECRET": app_secret,
        "PYTHONUNBUFFERED": "1",
    }


def simulators_process(folder: Path, url: str, web: str, app_secret: str) -> Process:
    command: list[str | Path] = [
        *(sys.executable, "-m", "apps.channels.simulators", "--host", HOST, "--port", url.rpartition(":")[2]),
        *("--callback-url", f"{web}/v1/hooks", f"--app-secret={app_secret}"),
        *("--sent-after", "0.05", "--delivered-after", "0.1", "--read-after", "0.3"),
        # Also past a restore, on a busy machine.
        *("--retry-for", "900"),
    ]
    return Process("simulators", command, folder / "simulators.log", stop_seconds=3)


def web_process(folder: Path, url: str, environment: Mapping[str, str], drain: int = 0, grace: int = 1) -> Process:
    port = url.rpartition(":")[2]
    command: list[str | Path] = [
        *(sys.executable, "-m", "project.web", "--host", HOST, "--port", port),
        *("--drain", str(drain), "--grace", str(grace)),
    ]
    return Process("web", command, folder / f"web-{port}.log", env=environment, stop_seconds=5)


def manage(environment: Mapping[str, str], *arguments: str) -> str:
    """What it said."""
    command: list[str | Path] = [sys.executable, ROOT / "manage.py", *arguments]
    ran = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
    if ran.returncode:
        raise ProcessFailed(f"manage.py {arguments[0]} failed.\n{ran.stderr}")
    return ran.stdout
