"""Two lives of one installation: one whose servers are destroyed, and one that is brought back on others."""

import secrets
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyrage

from chaos.books import Books
from chaos.providers import Providers
from chaos.stage import (
    READY_SECONDS,
    Stage,
    manage,
    recado_environment,
    simulators_process,
    web_process,
)
from local.ports import HOST, answers, free_port
from local.postgres import PostgresServer
from local.processes import Process
from local.rclone import ACCESS_KEY, BUCKET, RcloneServer
from local.secrets_file import read_env
from local.valkey import ValkeyServer


@dataclass
class Lives:
    folder: Path
    providers: Providers
    simulators: str
    web_url: str
    app_secret: str
    # Of whoever makes backups, and of whoever may read them.
    backup: Mapping[str, str]
    identity: Mapping[str, str]
    servers_options: tuple[str, ...]
    running: ExitStack
    api_key: str = ""

    def begin(self, name: str) -> Stage:
        """Empty servers of their own."""
        password = secrets.token_urlsafe()
        postgres = PostgresServer(
            self.folder / f"postgres-{name}", free_port(), password, self.folder / f"postgres-{name}.log",
            self.servers_options,
        )  # fmt: skip
        self.running.callback(postgres.stop)
        postgres.start()
        valkey = ValkeyServer(
            self.folder / f"valkey-{name}",
            free_port(),
            password,
            self.folder / f"valkey-{name}.log",
            durable=False,
        )
        self.running.callback(valkey.stop)
        valkey.start()
        environment = recado_environment(
            postgres.url, valkey.url, self.web_url, self.simulators, self.folder, self.app_secret
        )
        return Stage(
            self.folder, postgres, valkey, self.providers, Books(postgres.url), self.web_url, self.api_key,
            self.app_secret, {**environment, **self.backup},
        )  # fmt: skip

    def web(self, stage: Stage) -> Process:
        process = web_process(self.folder, self.web_url, stage.environment)
        self.running.callback(process.stop)
        process.start()
        process.wait_until(lambda: answers(f"{self.web_url}/readyz"), READY_SECONDS)
        return process

    def seed(self, stage: Stage) -> None:
        env_file = self.folder / "demo.env"
        manage(stage.environment, "migrate", "--no-input", "--verbosity", "0")
        manage(stage.environment, "seed_demo", "--env-file", str(env_file), "--url", self.web_url)
        self.api_key = read_env(env_file)["RECADO_API_KEY"]

    def destroy(self, stage: Stage) -> None:
        """As a fire does: without a word, and nothing of it is left."""
        for server in (stage.postgres, stage.valkey):
            server.process.kill()
            shutil.rmtree(server.data)


@contextmanager
def open_lives(durable: bool) -> Iterator[Lives]:
    with ExitStack() as running:
        folder = Path(tempfile.mkdtemp(prefix="recado-drill-"))
        running.callback(shutil.rmtree, folder, ignore_errors=True)
        folder.chmod(0o755)  # PostgreSQL may run as another user; its own folder stays closed
        web, simulators = (f"http://{HOST}:{free_port()}" for _ in range(2))
        app_secret = secrets.token_urlsafe()
        process = simulators_process(folder, simulators, web, app_secret)
        running.callback(process.stop)
        process.start()
        s3 = RcloneServer(folder / "s3", free_port(), secrets.token_hex(16), folder / "s3.log")
        running.callback(s3.stop)
        s3.start()
        process.wait_until(lambda: answers(f"{simulators}/control/healthz"), READY_SECONDS)
        providers = Providers(simulators)
        running.callback(providers.close)
        identity = pyrage.x25519.Identity.generate()
        yield Lives(
            folder,
            providers,
            simulators,
            web,
            app_secret,
            backup={
                "BACKUP_S3_BUCKET": BUCKET,
                "BACKUP_S3_ENDPOINT_URL": s3.url,
                "BACKUP_S3_ACCESS_KEY": ACCESS_KEY,
                "BACKUP_S3_SECRET_KEY": s3.secret_key,
                "BACKUP_RECIPIENT": str(identity.to_public()),
            },
            identity={"BACKUP_IDENTITY": str(identity)},
            servers_options=() if durable else ("fsync=off", "full_page_writes=off"),
            running=running,
        )
