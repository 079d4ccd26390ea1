"""Pytest plugin: a throw-away PostgreSQL and Valkey for the run, started before Django reads its settings.

Under xdist only the controller starts them; each worker has a database (pytest-django's suffix) and a Redis
database of its own.
"""

import os
import secrets
import shutil
import tempfile
from collections.abc import Generator
from contextlib import ExitStack
from pathlib import Path

import pytest

from local.ports import free_port
from local.postgres import THROW_AWAY, PostgresServer
from local.valkey import ValkeyServer

_running = ExitStack()


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests() -> Generator[None]:
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker is None:
        _start_servers()
    else:
        # Redis has sixteen databases; the controller's is 0.
        os.environ["REDIS_URL"] = f"{os.environ['REDIS_URL'].removesuffix('/0')}/{int(worker[2:]) % 15 + 1}"
    try:
        yield
    except BaseException:
        _running.close()
        raise


def pytest_unconfigure() -> None:
    _running.close()


def _start_servers() -> None:
    folder = Path(tempfile.mkdtemp(prefix="recado-test-"))
    _running.callback(shutil.rmtree, folder, ignore_errors=True)
    folder.chmod(0o755)  # PostgreSQL may run as another user; its own folder stays closed
    password = secrets.token_urlsafe()
    postgres = PostgresServer(folder / "postgres", free_port(), password, folder / "postgres.log", THROW_AWAY)
    _running.callback(postgres.stop)
    postgres.start()
    valkey = ValkeyServer(folder / "valkey", free_port(), password, folder / "valkey.log", durable=False)
    _running.callback(valkey.stop)
    valkey.start()
    os.environ["DATABASE_URL"] = postgres.url
    os.environ["REDIS_URL"] = valkey.url
