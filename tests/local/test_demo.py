"""The demo as a newcomer meets it: it starts, answers, stops without a trace, and finds its data again."""

import json
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest

from local import demo
from local.places import BadPlace, Places
from local.ports import HOST
from local.processes import Process, ProcessFailed
from local.secrets_file import read_env
from tests.local.joining import ADDRESS, EMAIL, join
from tests.local.running_demo import ROOT, SECONDS, Demo
from tests.registration.understanding.fake_ollama import FakeOllama, reads


def test_demo_starts_answers_and_stops(running: Demo) -> None:
    running.start()
    running.wait_until_ready()
    kept = read_env(running.home / "demo.env")
    key = {"Authorization": f"Api-Key {kept['RECADO_API_KEY']}"}

    with httpx.Client(trust_env=False, follow_redirects=True, timeout=20) as client:
        assert client.get(running.url("RECADO_WEB_PORT", "/healthz")).json() == {"status": "ok"}
        assert client.get(running.url("RECADO_WEB_PORT", "/readyz")).json()["status"] == "ok"
        assert client.get(running.url("RECADO_WEB_PORT", "/admin/")).status_code == 200
        assert client.get(running.url("RECADO_WEB_PORT", "/v1/docs")).status_code == 200
        assert client.get(running.url("RECADO_WEB_PORT", "/static/unfold/css/styles.css")).status_code == 200
        me = client.get(running.url("RECADO_WEB_PORT", "/v1/me"), headers=key).json()
        assert me["organization"]["name"] == kept["RECADO_ORGANIZATION"]
        credentials = {"email": kept["RECADO_EMAIL"], "password": kept["RECADO_PASSWORD"]}
        answer = client.post(running.url("RECADO_WEB_PORT", "/v1/auth/token"), json=credentials)
        assert answer.status_code == 201
    check_flower(running)
    assert kept["RECADO_API_KEY"] in running.text()
    secrets = read_env(running.home / "secrets.env")
    for secret in secrets.values():
        assert secret not in running.text()
    metrics, bearer = running.url("RECADO_WEB_PORT", "/metrics"), f"Bearer {secrets['METRICS_TOKEN']}"
    assert httpx.get(metrics, trust_env=False).status_code == 404
    shown = httpx.get(metrics, headers={"Authorization": bearer}, trust_env=False, timeout=20)
    assert "recado_installation_read_failed 0.0" in shown.text
    assert (running.home / "secrets.env").stat().st_mode & 0o077 == 0

    assert call(running, "accounts.remove_expired") == 0
    deadline = time.monotonic() + 30
    while "expired_removed" not in (running.home / "logs" / "worker.log").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.1)

    worker_log = (running.home / "logs" / "worker.log").read_text().splitlines()
    lines = [json.loads(line) for line in worker_log if line.startswith("{")]
    assert all(line["task_id"] for line in lines if line["event"] in {"task_started", "expired_removed"})

    check_reminders(running, key)
    join(running, key)

    second = Demo(running.home)
    second.output = running.home.with_suffix(".second")
    second.start()
    assert second.process
    assert second.process.wait(30) == 1
    assert "already running" in second.text()

    assert running.stop(signal.SIGTERM) == 128 + signal.SIGTERM
    assert running.left() == []


# What a person writes whom the rules alone would not understand, and how a model reads it.
WITH_A_MODEL = {
    "clube": reads("register"),
    "bora, manda as perguntas que eu respondo tudinho": reads("confirm"),
    f"Marina Teles aqui, qualquer coisa chama no {EMAIL} viu": reads(
        "other", ("name", "Marina Teles"), ("email", EMAIL)
    ),
    "não tenho": reads("deny"),
    ADDRESS: reads("other", ("postal_address", ADDRESS)),
    "baguete": reads("other"),
    "sim": reads("confirm"),
}


@pytest.mark.long
def test_demo_that_was_stopped_finds_its_data_again_and_a_model(running: Demo, ollama: FakeOllama) -> None:
    running.start()
    running.wait_until_ready()
    kept = read_env(running.home / "demo.env")
    key = {"Authorization": f"Api-Key {kept['RECADO_API_KEY']}"}
    assert running.stop(signal.SIGTERM) == 128 + signal.SIGTERM

    running.environment["OLLAMA_URL"] = ollama.url
    running.start()
    running.wait_until_ready()
    assert read_env(running.home / "demo.env") == kept
    assert httpx.get(running.url("RECADO_WEB_PORT", "/v1/me"), headers=key, trust_env=False).status_code == 200

    def read(line: str) -> None:
        ollama.answering = WITH_A_MODEL[line]

    join(running, key, list(WITH_A_MODEL), person="5511990099002", before=read)
    assert ollama.questions
    assert running.stop(signal.SIGINT) == 0
    assert running.left() == []


def check_reminders(running: Demo, key: dict[str, str]) -> None:
    """Of the bills of the demo, over what each customer has; and nothing more of one that is paid."""
    assert call(running, "billing.plan") == 0
    with httpx.Client(base_url=running.url("RECADO_WEB_PORT", "/v1"), headers=key, trust_env=False) as client:
        deadline = time.monotonic() + 30
        while {("whatsapp_cloud", "read"), ("sms", "delivered"), ("email", "sent")} - (told := told_over(client)):
            assert time.monotonic() < deadline, told
            time.sleep(0.2)
        (owed,) = client.get("/invoices", params={"number": "2026-1040"}).json()["data"]
        ahead = f"/invoices/{owed['id']}/reminders/preview"
        assert client.get(ahead).json()["reminders"]
        assert client.post(f"/invoices/{owed['id']}/pay", json={}).json()["status"] == "paid"
        assert client.get(ahead).json()["reminders"] == []


def told_over(client: httpx.Client) -> set[tuple[str, str]]:
    messages = [reminder["message"] for reminder in client.get("/reminders").json()["data"]]
    return {(message["channel"], message["status"]) for message in messages}


def check_flower(running: Demo) -> None:
    """It answers nobody by itself; the admin shows it to whoever runs the installation."""
    naked = httpx.get(running.url("RECADO_FLOWER_PORT", "/admin/flower/workers"), trust_env=False)
    assert naked.status_code == 401
    kept = read_env(running.home / "demo.env")
    web = running.url("RECADO_WEB_PORT", "")
    with httpx.Client(base_url=web, trust_env=False, follow_redirects=True, timeout=20) as browser:
        assert "/accounts/login/" in str(browser.get("/admin/flower/workers").url)
        token = browser.cookies["csrftoken"]
        credentials = {"login": kept["RECADO_ADMIN_EMAIL"], "password": kept["RECADO_PASSWORD"]}
        assert browser.post("/accounts/login/", data=credentials | {"csrfmiddlewaretoken": token}).is_success
        page = browser.get("/admin/flower/workers")
        assert (page.status_code, page.url.path) == (200, "/admin/flower/workers")
        assert "/admin/flower/static/css/flower.css" in page.text
        assert browser.get("/admin/flower/static/css/flower.css").headers["Content-Type"].startswith("text/css")
        asked = {"draw": "1", "start": "0", "length": "5", "order[0][column]": "0", "columns[0][data]": "name"}
        assert browser.post("/admin/flower/tasks/datatable", data=asked).json()["draw"] == 1
        assert browser.post("/admin/flower/api/worker/shutdown/worker@here").status_code == 405


def call(running: Demo, task: str) -> int:
    kept = read_env(running.home / "secrets.env")
    ports = running.environment
    environment = running.environment | {
        "DJANGO_SETTINGS_MODULE": "project.settings.dev",
        "DATABASE_URL": f"postgres://recado:{kept['POSTGRES_PASSWORD']}@{HOST}:{ports['RECADO_POSTGRES_PORT']}/recado",
        "REDIS_URL": f"redis://:{kept['REDIS_PASSWORD']}@{HOST}:{ports['RECADO_REDIS_PORT']}/0",
    }
    command = [sys.executable, "-m", "celery", "--app", "celery_app", "call", task]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


@pytest.mark.long
def test_demo_stops_everything_when_it_is_interrupted_half_way(running: Demo) -> None:
    running.start()
    deadline = time.monotonic() + SECONDS
    while "✓ PostgreSQL" not in running.text():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert running.stop(signal.SIGINT) == 0
    assert running.left() == []


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children that their parent was killed")
def test_demo_leaves_nothing_behind_even_when_it_is_killed(running: Demo) -> None:
    running.start()
    deadline = time.monotonic() + SECONDS
    while "✓ PostgreSQL" not in running.text():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    running.stop(signal.SIGKILL)
    deadline = time.monotonic() + 20
    while running.left():
        assert time.monotonic() < deadline, running.left()
        time.sleep(0.1)


def test_demo_says_which_port_is_taken_by_whom_and_what_to_do(running: Demo) -> None:
    port = int(running.environment["RECADO_WEB_PORT"])
    with socket.create_server((HOST, port)):
        running.start()
        assert running.process
        assert running.process.wait(30) == 1
    assert f"Port {port} is taken by" in running.text()
    assert f"RECADO_WEB_PORT={port + 1} make demo" in running.text()
    assert "Traceback" not in running.text()


def test_demo_says_that_the_disk_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full = SimpleNamespace(total=100, used=100, free=7 * 1024**2)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: full)
    places = Places(home=tmp_path, web=1, flower=2, postgres=3, redis=4, simulators=5, smtp=6, grpc=7, s3=8)
    with pytest.raises(demo.CannotStart, match="7 MB are free"):
        demo.check_machine(places)


def test_demo_says_which_variable_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECADO_WEB_PORT", "eighty")
    with pytest.raises(BadPlace, match="RECADO_WEB_PORT must be a port"):
        Places.from_environment()


def test_demo_that_loses_a_process_says_which_and_why(tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    broken = Process("worker", [sys.executable, "-c", "raise SystemExit('no broker')"], log)
    broken.start()
    with pytest.raises(ProcessFailed, match="worker stopped by itself") as caught:
        demo.watch([broken])
    broken.stop()
    assert "no broker" in str(caught.value)
