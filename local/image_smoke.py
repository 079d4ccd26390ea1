"""Whether an image works: it migrates, serves, takes a message, and a worker delivers it."""

import secrets
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from local.builder import Builder
from local.console import go_on, say
from local.contained import Container, container
from local.ports import HOST, answers, free_port
from local.postgres import THROW_AWAY, PostgresServer
from local.processes import Process, stop_all
from local.rclone import RcloneServer
from local.secrets_file import load_or_create, read_env
from local.traffic import ask
from local.valkey import ValkeyServer

READY_SECONDS = 90
DELIVERED_SECONDS = 30
# What docker-compose.yml gives a process to end by itself.
STOP_SECONDS = 30
ORDER = {"name": "order_ready", "variables": {"name": "Ana", "order": "1234"}}
# As docker-compose.yml and Kubernetes ask.
HEALTHCHECK = ["python", "/app/project/healthcheck.py"]

# What must hold in the container, said by itself.
CONFINED = """
import os, shutil, sys
assert os.getuid() == os.getgid() == 10001, os.getuid()
assert not os.getgroups(), os.getgroups()
status = open("/proc/self/status").read()
assert "CapEff:\\t0000000000000000" in status and "NoNewPrivs:\\t1" in status, status
for place in ("/app", "/opt/venv", "/etc", "/", "/usr/local/bin"):
    try:
        open(place + "/written", "w")
    except OSError:
        continue
    sys.exit(place + " is writable")
open("/tmp/written", "w").close()
found = [tool for tool in ("gcc", "cc", "make", "uv", "git", "curl") if shutil.which(tool)]
assert not found, found
assert not [name for name in os.environ if "KEY" in name or "PASSWORD" in name], "secrets are in the image"
print(os.environ["RELEASE"])
"""


class SmokeFailed(Exception):
    """What did not work, and where its log lies."""


def smoke(builder: Builder, image: str) -> None:
    started = time.monotonic()
    with ExitStack() as running:
        folder = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="recado-image-")))
        # PostgreSQL and the image run as others than whoever started this.
        folder.chmod(0o755)
        settings = start_servers(folder, running)
        box = running.enter_context(container(builder, image, folder))
        run_to_end(box, "confined", ["python", "-c", CONFINED], {})
        say(f"  ✓ user {box.user}, no capabilities, read-only but for /tmp and /data, no compiler, no secret")
        production = {**settings, "DJANGO_SETTINGS_MODULE": "project.settings.production"}
        production |= {"PUBLIC_URL": "https://recado.example", "MAIL_URL": "smtp://127.0.0.1:25"}
        run_to_end(box, "check", manage("check", "--deploy", "--fail-level", "WARNING"), production)
        say("  ✓ check --deploy, as in production")
        run_to_end(box, "migrate", manage("migrate", "--no-input", "--verbosity", "0"), settings)
        say(f"  ✓ migrations ({time.monotonic() - started:.1f} s since the start)")
        send(box, settings, running)
    say(f"\n  {image} works ({time.monotonic() - started:.0f} s).\n")


def start_servers(folder: Path, running: ExitStack) -> dict[str, str]:
    """PostgreSQL, Valkey and an S3 of this machine. Returns what Recado is told, as the demo in compose is."""
    kept = load_or_create(folder / "secrets.env")
    logs = folder / "logs"
    postgres = PostgresServer(
        folder / "postgres", free_port(), kept["POSTGRES_PASSWORD"], logs / "postgres.log", THROW_AWAY
    )
    valkey = ValkeyServer(folder / "valkey", free_port(), kept["REDIS_PASSWORD"], logs / "valkey.log")
    s3 = RcloneServer(folder / "s3", free_port(), kept["S3_SECRET_KEY"], logs / "s3.log")
    for server in (postgres, valkey, s3):
        running.callback(server.stop)
        server.start()
    web, simulators, flower = free_port(), free_port(), free_port()
    return {
        **{name: kept[name] for name in ("SECRET_KEY", "ENCRYPTION_KEYS", "JWT_SIGNING_KEYS", "VAULT_DIGEST_KEY")},
        **s3.settings,
        "DJANGO_SETTINGS_MODULE": "project.settings.demo",
        "DATABASE_URL": postgres.url,
        "REDIS_URL": valkey.url,
        "PUBLIC_URL": f"http://{HOST}:{web}",
        "ALLOWED_HOSTS": f"{HOST},recado.example",
        "FLOWER_URL": f"http://{HOST}:{flower}",
        "FLOWER_BASIC_AUTH": kept["FLOWER_BASIC_AUTH"],
        "WHATSAPP_CLOUD_URL": f"http://{HOST}:{simulators}/whatsapp/v23.0",
        "SIMULATORS_URL": f"http://{HOST}:{simulators}",
        "SIMULATORS_APP_SECRET": secrets.token_hex(16),
        "OUTBOUND_ALLOWED_NETWORKS": "127.0.0.0/8",
        "ADMIN_REQUIRES_MFA": "false",
        "REGISTRATION_POSTAL_CODES": "local",
    }


def send(box: Container, settings: Mapping[str, str], running: ExitStack) -> None:
    """A message over REST, to a simulated provider, until its receipt is back."""
    web, simulators, flower = (settings[name] for name in ("PUBLIC_URL", "SIMULATORS_URL", "FLOWER_URL"))
    grpc = free_port()
    env_file = "/data/demo.env"
    run_to_end(
        box, "seed",
        manage("seed_demo", "--env-file", env_file, "--url", web, "--simulators", simulators),
        settings,
    )  # fmt: skip
    started = time.monotonic()
    celery = ["celery", "--app", "celery_app"]
    commands = {
        "simulators": [
            "python", "-m", "apps.channels.simulators", "--port", port_of(simulators),
            "--callback-url", f"{web}/v1/hooks", f"--app-secret={settings['SIMULATORS_APP_SECRET']}",
            "--delivered-after", "0.5",
        ],
        # The image's own command, elsewhere.
        "web": [*box.command[:-1], port_of(web)],
        "grpc": ["python", "-m", "project.grpc_server", "--port", str(grpc)],
        "worker-whatsapp-cloud": [
            *celery, "worker", "--queues", "dispatch.whatsapp_cloud", "--concurrency", "2",
            "--hostname", "worker-whatsapp-cloud@%h",
        ],
        "worker-events": [
            *celery, "worker", "--queues", "events", "--concurrency", "2", "--hostname", "worker-events@%h",
        ],
        "beat": [*celery, "beat", "--pidfile="],
        "flower": [
            *celery, "flower", "--address=127.0.0.1", f"--port={port_of(flower)}", "--url-prefix=admin/flower",
            "--read-only",
        ],
    }  # fmt: skip
    # All of them share this machine's network here, where one port is one process's.
    side_doors = {name: f"{HOST}:{free_port()}" for name in commands}
    processes = {
        name: box.process(name, command, {**settings, "INTERNAL_ADDRESS": side_doors[name]})
        for name, command in commands.items()
    }
    running.callback(stop_all, processes.values())
    for process in processes.values():
        process.start()
    processes["web"].wait_until(lambda: answers(f"{web}/readyz"), READY_SECONDS)
    processes["grpc"].wait_until(lambda: processes["grpc"].has_written("grpc_serves"), READY_SECONDS)
    for name in ("worker-whatsapp-cloud", "worker-events"):
        worker = processes[name]
        worker.wait_until(partial(worker.has_written, " ready."), READY_SECONDS)
    processes["beat"].wait_until(lambda: processes["beat"].has_written("Starting"), READY_SECONDS)
    processes["flower"].wait_until(lambda: answers(f"{flower}/admin/flower/healthcheck"), READY_SECONDS)
    processes["simulators"].wait_until(lambda: answers(f"{simulators}/control/healthz"), READY_SECONDS)
    say(f"  ✓ {', '.join(processes)} ({time.monotonic() - started:.1f} s)")

    beside = [f"http://{side_doors[name]}/healthz" for name in ("worker-whatsapp-cloud", "worker-events", "beat")]
    for address in (f"{web}/readyz", f"grpc://{HOST}:{grpc}", f"{flower}/admin/flower/healthcheck", *beside):
        run_to_end(box, "healthcheck", [*HEALTHCHECK, address], {})
    say("  ✓ health checks of web, gRPC, Flower, workers and beat")

    demo = read_env(box.data / "demo.env")
    sent = time.monotonic()
    key = {"Authorization": f"Api-Key {demo['RECADO_API_KEY']}"}
    wanted = {"account_id": demo["RECADO_ACCOUNT_WHATSAPP_CLOUD"], "to": "+5511970000001", "template": ORDER}
    message = ask("POST", f"{web}/v1/messages", wanted, key)["id"]
    status = ""
    while status not in {"delivered", "read"}:
        go_on()
        if time.monotonic() > sent + DELIVERED_SECONDS or status == "failed":
            last = "\n".join(process.last_lines() for process in processes.values())
            raise SmokeFailed(f"The message is {status!r} after {time.monotonic() - sent:.0f} s.\n{last}")
        time.sleep(0.05)
        status = ask("GET", f"{web}/v1/messages/{message}", b"", key)["status"]
    say(f"  ✓ a message was accepted and {status} {time.monotonic() - sent:.2f} s later")

    started = time.monotonic()
    for process in processes.values():
        process.signal_stop()
    for process in processes.values():
        ends(process, STOP_SECONDS)
    say(f"  ✓ SIGTERM stopped all of them ({time.monotonic() - started:.1f} s)")


def run_to_end(box: Container, name: str, command: Sequence[str], settings: Mapping[str, str]) -> None:
    process = box.process(name, command, settings)
    try:
        process.start()
        if code := ends(process, READY_SECONDS):
            raise SmokeFailed(f"{name} failed in the container (exit code {code}).\n{process.last_lines()}")
    finally:
        process.stop()


def ends(process: Process, seconds: float) -> int:
    deadline = time.monotonic() + seconds
    while process.exit_code is None:
        go_on()
        if time.monotonic() > deadline:
            raise SmokeFailed(f"{process.name} goes on after {seconds:.0f} s.\n{process.last_lines()}")
        time.sleep(0.05)
    return process.exit_code


def manage(*arguments: str) -> list[str]:
    return ["python", "manage.py", *arguments]


def port_of(url: str) -> str:
    return url.rpartition(":")[2]
