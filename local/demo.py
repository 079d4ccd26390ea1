"""`make demo`: all of Recado on this machine, until Ctrl-C."""

import fcntl
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NoReturn

from apps.channels.registry import NAMES, queue_of
from local.console import Stopped, go_on, say, stop_when_told
from local.places import ROOT, BadPlace, Places
from local.ports import HOST, answers, holder_of, is_free
from local.postgres import PostgresServer
from local.processes import Process, ProcessFailed, stop_all
from local.rclone import RcloneServer
from local.secrets_file import load_or_create, read_env
from local.valkey import ValkeyServer

NEEDED_BYTES = 500 * 1024 * 1024
# A customer of the demo (demo_bills.py): what they are told goes on over SMS.
NOT_ON_WHATSAPP = "5511981110005"
# The bakery's number at the simulated WhatsApp (demo_story.py).
BAKERY = "100200300400500"
READY_SECONDS = 60


class CannotStart(Exception):
    """Something on this machine is in the way. The message says what to do about it."""


def main() -> int:
    stop_when_told()
    try:
        places = Places.from_environment()
        with ExitStack() as running:
            run(places, running)
    except Stopped as stopped:
        say("\n  Stopped. The data stays; `make demo` finds it again.")
        return 0 if stopped.is_by_hand else stopped.exit_code
    except (CannotStart, ProcessFailed, BadPlace) as problem:
        say(f"\n  {problem}\n")
        return 1
    except OSError as problem:
        say(f"\n  {problem.strerror}: {problem.filename or ''}\n  {_space_left(ROOT)}\n")
        return 1


def run(places: Places, running: ExitStack) -> NoReturn:
    started = time.monotonic()
    say("\n  Recado\n")
    check_machine(places)
    running.enter_context(only_one(places.home))
    kept = load_or_create(places.home / "secrets.env")

    with step("PostgreSQL"):
        postgres = PostgresServer(
            places.home / "postgres", places.postgres, kept["POSTGRES_PASSWORD"], places.logs / "postgres.log"
        )
        running.callback(postgres.stop)
        postgres.start()
    with step("Valkey (speaks Redis)"):
        valkey = ValkeyServer(
            places.home / "valkey", places.redis, kept["REDIS_PASSWORD"], places.logs / "valkey.log"
        )
        running.callback(valkey.stop)
        valkey.start()
    with step("rclone (speaks S3)"):
        s3 = RcloneServer(places.home / "s3", places.s3, kept["S3_SECRET_KEY"], places.logs / "s3.log")
        running.callback(s3.stop)
        s3.start()

    environment = os.environ | {
        **{name: kept[name] for name in ("SECRET_KEY", "ENCRYPTION_KEYS", "JWT_SIGNING_KEYS", "VAULT_DIGEST_KEY")},
        # Flower reads it under the same name.
        "FLOWER_BASIC_AUTH": kept["FLOWER_BASIC_AUTH"],
        "METRICS_TOKEN": kept["METRICS_TOKEN"],
        "FLOWER_URL": places.flower_url,
        "DJANGO_SETTINGS_MODULE": "project.settings.dev",
        "REGISTRATION_POSTAL_CODES": "local",
        "DEBUG": "false",
        "DATABASE_URL": postgres.url,
        "REDIS_URL": valkey.url,
        **s3.settings,
        "PUBLIC_URL": places.web_url,
        "MAIL_FOLDER": str(places.home / "mail"),
        # The simulators play the providers, and sign what they call back with this.
        "WHATSAPP_CLOUD_URL": f"{places.simulators_url}/whatsapp/v23.0",
        "INSTAGRAM_URL": f"{places.simulators_url}/instagram/v23.0",
        "TELEGRAM_URL": f"{places.simulators_url}/telegram",
        "TWILIO_URL": f"{places.simulators_url}/twilio",
        "OUTBOUND_ALLOWED_NETWORKS": "127.0.0.0/8",
        "SIMULATORS_URL": places.simulators_url,
        "SIMULATORS_APP_SECRET": kept["SIMULATORS_APP_SECRET"],
        "PYTHONUNBUFFERED": "1",
    }
    with step("migrations"):
        manage(places, environment, "migrate", "--no-input", "--verbosity", "0")
    with step("demo data"):
        manage(
            places,
            environment,
            "seed_demo",
            "--env-file",
            str(places.demo_env),
            "--url",
            places.web_url,
            "--grpc",
            places.grpc_address,
            "--simulators",
            places.simulators_url,
            "--smtp",
            places.smtp_address,
        )

    processes = application(places, environment)
    running.callback(stop_all, processes)
    with step(", ".join(process.name for process in processes)):
        # Password resets lie there instead of being sent.
        (places.home / "mail").mkdir(mode=0o700, exist_ok=True)
        for process in processes:
            process.start()
        for process, is_ready in zip(processes, readiness(places, processes), strict=True):
            process.wait_until(is_ready, READY_SECONDS)

    welcome(places, time.monotonic() - started)
    watch([postgres.process, valkey.process, s3.process, *processes])


def application(places: Places, environment: dict[str, str]) -> list[Process]:
    """The processes of Recado itself, and the providers that it talks to."""
    python = sys.executable
    celery = [python, "-m", "celery", "--app", "celery_app"]
    dispatch = ",".join(queue_of(connector) for connector in NAMES)
    celery_worker = [*celery, "worker", "--concurrency", "2"]
    commands: dict[str, list[str | Path]] = {
        "simulators": [
            python, "-m", "apps.channels.simulators", "--host", HOST, "--port", str(places.simulators),
            "--callback-url", f"{places.web_url}/v1/hooks",
            f"--app-secret={environment.get('SIMULATORS_APP_SECRET', 'demo')}", "--smtp-port", str(places.smtp),
            "--faults", json.dumps([{"kind": "undeliverable", "provider": "whatsapp", "to": NOT_ON_WHATSAPP}]),
        ],
        "web": [
            python, "-m", "project.web", "--host", HOST, "--port", str(places.web), "--drain", "0", "--grace", "3",
        ],
        "grpc": [python, "-m", "project.grpc_server", "--host", HOST, "--port", str(places.grpc)],
        # Drains work for seconds at a time; what must not wait behind them has a worker of its own.
        "dispatcher": [*celery_worker, "--hostname", "dispatcher@%h", "--queues", dispatch],
        "worker": [
            *celery_worker, "--hostname", "worker@%h", "--queues", "maintenance,events,callbacks,registration",
        ],
        # Reads gigabytes at a time.
        "files": [*celery, "worker", "--concurrency", "1", "--hostname", "files@%h", "--queues", "files"],
        "beat": [*celery, "beat", "--pidfile="],
        # Behind the admin's log-in, which sends what it asks for.
        "flower": [
            *celery, "flower", f"--address={HOST}", f"--port={places.flower}", "--url-prefix=admin/flower",
            "--read-only",
        ],
        "traffic": [python, "-m", "local.traffic", str(places.demo_env)],
    }  # fmt: skip
    return [
        Process(name, command, places.logs / f"{name}.log", env=environment) for name, command in commands.items()
    ]


def readiness(places: Places, processes: list[Process]) -> list[Callable[[], bool]]:
    """How each of them, in their order, shows that it works."""
    _simulators, _web, grpc, dispatcher, worker, files, beat, _flower, traffic = processes
    return [
        lambda: answers(f"{places.simulators_url}/control/healthz"),
        lambda: answers(f"{places.web_url}/readyz"),
        lambda: grpc.has_written("grpc_serves"),
        lambda: dispatcher.has_written(" ready."),
        lambda: worker.has_written(" ready."),
        lambda: files.has_written(" ready."),
        lambda: beat.has_written("Starting"),
        lambda: answers(f"{places.flower_url}/admin/flower/healthcheck"),
        lambda: traffic.exit_code is None,
    ]


def check_machine(places: Places) -> None:
    places.home.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(places.home).free < NEEDED_BYTES:
        raise CannotStart(_space_left(places.home))
    for variable, port in places.ports.items():
        if not is_free(port):
            raise CannotStart(
                f"Port {port} is taken by {holder_of(port)}.\n"
                f"  Stop it, or move this one: {variable}={port + 1} make demo"
            )


@contextmanager
def only_one(home: Path) -> Iterator[None]:
    """Two demos over one folder would share a database; the lock goes with the process that holds it."""
    with (home / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise CannotStart(
                f"A demo is already running over {home}.\n  Stop it, or start another: RECADO_HOME=/tmp/recado-2 …"
            ) from error
        yield


def manage(places: Places, environment: dict[str, str], *arguments: str) -> None:
    command = Process(
        f"manage.py {arguments[0]}",
        [sys.executable, ROOT / "manage.py", *arguments],
        places.logs / "manage.log",
        env=environment,
    )
    try:
        command.start()
        while command.exit_code is None:
            time.sleep(0.05)
        if command.exit_code:
            raise ProcessFailed(f"{command.name} failed.\n{command.last_lines()}")
    finally:
        command.stop()


def watch(processes: list[Process]) -> NoReturn:
    """Until a signal comes; a process that ends by itself ends the demo, loudly."""
    while True:
        go_on()
        for process in processes:
            if process.exit_code is not None:
                raise ProcessFailed(
                    f"{process.name} stopped by itself (exit code {process.exit_code}), so all of it stops.\n"
                    f"{process.last_lines()}"
                )
        time.sleep(0.2)


@contextmanager
def step(name: str) -> Iterator[None]:
    """Shows that something is under way, at a terminal; and what it took, everywhere."""
    go_on()
    started = time.monotonic()
    back = ""
    if sys.stdout.isatty():
        print(f"  … {name}", end="", flush=True)
        back = "\r"
    try:
        yield
    except BaseException:
        say(f"{back}  ✗ {name}")
        raise
    say(f"{back}  ✓ {name:<36}{time.monotonic() - started:5.1f} s")


def welcome(places: Places, seconds: float) -> None:
    demo = read_env(places.demo_env)
    # What a customer writes to the bakery on WhatsApp, whose club then asks them (demo_registration.py).
    written = json.dumps({"provider": "whatsapp", "account": BAKERY, "from": "5511987654321", "text": "clube"})
    say(f"""
  Ready in {seconds:.0f} s.

  Live       {places.web_url}/live/
  Admin      {places.web_url}/admin/
  API docs   {places.web_url}/v1/docs
  gRPC       {places.grpc_address}
  Flower     {places.web_url}/admin/flower/   (for whoever runs the installation)
  Storage    http://127.0.0.1:{places.s3}   (speaks S3)
  Metrics    {places.web_url}/metrics   (Bearer METRICS_TOKEN of {places.home / "secrets.env"})
  Providers  {places.simulators_url}/control/tally   (simulated)

  Log in     {demo["RECADO_EMAIL"]}  {demo["RECADO_PASSWORD"]}   (owner of {demo["RECADO_ORGANIZATION"]})
             {demo["RECADO_ADMIN_EMAIL"]}  {demo["RECADO_PASSWORD"]}   (runs the installation)
  Try it     curl -H "Authorization: Api-Key {demo["RECADO_API_KEY"]}" {places.web_url}/v1/me
  Register   curl {places.simulators_url}/control/say -d '{written}'

  All of this is in {places.demo_env}, the logs are beside it in logs/.
  Ctrl-C stops everything.
""")


def _space_left(folder: Path) -> str:
    free = shutil.disk_usage(folder).free // 1024**2
    return f"{free} MB are free on the disk of {folder}; the demo needs {NEEDED_BYTES // 1024**2} MB."


if __name__ == "__main__":
    sys.exit(main())
