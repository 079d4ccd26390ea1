"""Processes as they run: a worker with children, beat, web and gRPC, each with its side door."""

import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families

from apps.channels.registry import queue_of
from apps.messaging.models import EventCursor, Message
from celery_app import QUEUES
from local.ports import HOST, answers, free_port
from local.processes import Process
from tests.cast import House, as_member
from tests.messaging.conftest import _running_provider, provider  # noqa: F401 - fixtures
from tests.messaging.desk import Desk, open_account
from tests.messaging.provider import Provider
from tests.realtime.socket import greeted
from tests.realtime.socket import socket as closed
from tests.server import Server, environment_of, run_server

pytestmark = pytest.mark.django_db(transaction=True)

CELERY = (sys.executable, "-m", "celery", "--app", "celery_app")
SECONDS = 60
TOKEN = "a-token-for-tests-of-32-characters"

type Start = Callable[..., tuple[Process, str]]


@pytest.fixture(autouse=True)
def _cursor(transactional_db: None) -> None:
    EventCursor.objects.update_or_create(pk=1, defaults={"transaction": "0", "event_id": 0})


@pytest.fixture
def start(
    tmp_path: Path,
    provider: Provider,  # noqa: F811 - the fixture
) -> Iterator[Start]:
    running: list[Process] = []
    temporary = tmp_path / "temporary"
    temporary.mkdir()

    def begin(name: str, *command: str, address: str = "") -> tuple[Process, str]:
        address = address or f"{HOST}:{free_port()}"
        environment = environment_of(
            tmp_path,
            "http://127.0.0.1:9",
            INTERNAL_ADDRESS=address,
            TMPDIR=str(temporary),
            WHATSAPP_CLOUD_URL=f"{provider.url}/whatsapp/v23.0",
            OUTBOUND_ALLOWED_NETWORKS="127.0.0.0/8",
        )
        process = Process(name, list(command), tmp_path / f"{name}.log", env=environment)
        process.start()
        running.append(process)
        return process, f"http://{address}/metrics"

    yield begin
    for process in running:
        process.stop()
    assert list(temporary.iterdir()) == []


def _read(url: str) -> dict[str, float]:
    text = httpx.get(url, timeout=10, trust_env=False).text
    return {
        f"{sample.name}{sorted(sample.labels.values())}": sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def _wait(is_so: Callable[[], bool], why: Callable[[], object] = lambda: "") -> None:
    deadline = time.monotonic() + SECONDS
    while not is_so():
        assert time.monotonic() < deadline, why()
        time.sleep(0.05)


def _worker(start: Start, pool: str) -> tuple[Process, str]:
    process, url = start(
        f"worker-{pool}", *CELERY, "worker", "--pool", pool, "--concurrency", "2", "--loglevel", "info",
        "--queues", f"{queue_of('whatsapp_cloud')},events",
    )  # fmt: skip
    process.wait_until(lambda: process.has_written(" ready."), SECONDS)
    return process, url


def _send(aurora: House, accounts: int, name: str) -> None:
    """By drains of several accounts, so that both children have something to do."""
    for n in range(accounts):
        account = open_account(aurora, "whatsapp_cloud", name=f"{name}{n}")
        Desk(aurora.organization, account, None).accept("Oi", to=f"+55119{n:08}")  # type: ignore[arg-type]
    sent = Message.across_organizations.exclude(status__in=["queued", "sending"])
    everything = Message.across_organizations.count()
    _wait(lambda: sent.count() == everything)


SENT = "recado_messages_sent_total['fast', 'whatsapp_cloud']"


def test_worker_shows_what_all_its_children_did_the_dead_ones_too(aurora: House, start: Start) -> None:
    process, url = _worker(start, "prefork")
    _send(aurora, 8, "a")
    _wait(lambda: _read(url).get(SENT) == 8, lambda: _read(url))

    assert process.pid is not None
    children = psutil.Process(process.pid).children()
    os.kill(children[0].pid, signal.SIGKILL)
    _wait(lambda: children[0].pid not in {child.pid for child in psutil.Process(process.pid).children()})
    assert _read(url)[SENT] == 8
    _send(aurora, 8, "b")
    _wait(lambda: _read(url).get(SENT) == 16, lambda: _read(url))
    found = _read(url)
    assert found["recado_accept_to_sent_seconds_count['fast', 'whatsapp_cloud']"] == 16
    assert found["recado_build_info['unknown']"] == 1
    assert found.get("recado_drains_at_work['whatsapp_cloud']", 0) >= 0
    # What is read of the installation is not for workers to tell.
    assert not any(name.startswith(("recado_backlog", "recado_installation")) for name in found)


@pytest.mark.long
def test_worker_without_children_counts_too(aurora: House, start: Start) -> None:
    _, url = _worker(start, "solo")
    _send(aurora, 2, "a")
    _wait(lambda: _read(url).get(SENT) == 2, lambda: _read(url))


@pytest.mark.long
def test_address_that_is_taken_stops_a_process_and_says_what_to_do(start: Start, tmp_path: Path) -> None:
    worker = [*CELERY, "worker", "--concurrency", "1", "--queues", QUEUES[0]]
    beat = [*CELERY, "beat", "--pidfile=", "--scheduler", "celery.beat:PersistentScheduler",
            "--schedule", str(tmp_path / "schedule")]  # fmt: skip
    web = [sys.executable, "-m", "project.web", "--port", str(free_port())]
    grpc = [sys.executable, "-m", "project.grpc_server", "--port", str(free_port())]
    with socket.create_server((HOST, 0)) as taken:
        address = f"{HOST}:{taken.getsockname()[1]}"
        refused = [
            start(f"refused-{n}", *command, address=address)[0]
            for n, command in enumerate((worker, beat, web, grpc))
        ]
        for process in refused:
            _wait(lambda process=process: process.exit_code is not None, process.last_lines)  # type: ignore[misc]
            assert process.exit_code == 1, process.last_lines()
            assert process.has_written("side_door_not_opened"), process.last_lines()
            assert process.has_written("INTERNAL_ADDRESS of its own")


def test_beat_and_grpc_have_a_side_door(start: Start, tmp_path: Path) -> None:
    schedule = ("--scheduler", "celery.beat:PersistentScheduler", "--schedule", str(tmp_path / "schedule"))
    beat, of_beat = start("beat", *CELERY, "beat", "--pidfile=", *schedule)
    grpc, of_grpc = start("grpc", sys.executable, "-m", "project.grpc_server", "--port", str(free_port()))
    for process, url in ((beat, of_beat), (grpc, of_grpc)):
        _wait(lambda url=url: answers(url), process.last_lines)  # type: ignore[misc]
        assert _read(url)["recado_build_info['unknown']"] == 1
    assert httpx.get(of_grpc.replace("/metrics", "/healthz"), trust_env=False).text == "well\n"


@pytest.fixture(scope="module")
def web(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, str]]:
    address = f"{HOST}:{free_port()}"
    changed = {"INTERNAL_ADDRESS": address, "METRICS_TOKEN": TOKEN}
    with run_server(tmp_path_factory.mktemp("web"), **changed) as server:
        yield server, f"http://{address}/metrics"


def test_web_shows_the_installation_at_its_side_door_and_with_the_token(web: tuple[Server, str]) -> None:
    server, url = web
    with server.client() as stranger, server.client(f"Bearer {TOKEN}") as prometheus:
        assert stranger.get("/metrics").status_code == 404
        stranger.get("/v1/messages")
        answer = prometheus.get("/metrics")
    assert answer.status_code == 200
    assert 'recado_http_requests_total{method="GET",route="/v1/messages",status="4xx"} 1.0' in answer.text
    beside = httpx.get(url, timeout=10, trust_env=False)
    for text in (answer.text, beside.text):
        assert "recado_installation_read_failed 0.0" in text
    assert "/metrics" not in server.log.read_text()


def test_web_counts_sockets_files_and_what_providers_call(web: tuple[Server, str], aurora: House) -> None:
    server, url = web
    member = as_member(aurora.owner).credential
    before = _read(url)
    with greeted(server, member) as listener:
        assert listener.is_quiet
        found = _read(url)
        sent = found["recado_frames_sent_total[]"] - before["recado_frames_sent_total[]"]
        assert (found["recado_sockets['websocket']"], sent) == (1, 2)
    with closed(server) as stranger:
        assert stranger.close_code() == 4401
    with server.client(member) as client:
        assert client.post("/v1/files", files={"file": ("a.bin", b"x" * 1000)}).status_code == 201
        assert client.post("/v1/files", files={"file": ("a.bin", b"")}).status_code == 201
        assert client.post("/v1/files", content=b"no form").status_code == 415
        assert client.post("/v1/hooks/telegram/0199f3a2-7c1e-7d3b-9a54-2f6c8e1b4d70").status_code >= 400
    _wait(lambda: _read(url)["recado_sockets['websocket']"] == 0)
    counted = {name: n - before.get(name, 0) for name, n in _read(url).items() if name.startswith(_OF_WEB)}
    assert {name: n for name, n in counted.items() if n} == {
        "recado_socket_closes_total['1000']": 1,
        "recado_socket_closes_total['4401']": 1,
        "recado_uploads_total['stored']": 2,
        "recado_upload_bytes_total[]": 1000,
        # One each, although Django is asked twice.
        "recado_http_requests_total['/v1/files', '2xx', 'POST']": 2,
        "recado_http_requests_total['/v1/files', '4xx', 'POST']": 1,
        "recado_http_requests_total['/v1/hooks/<slug:connector>/<uuid:account_id>', '4xx', 'POST']": 1,
        "recado_provider_callbacks_total['refused', 'telegram']": 1,
    }


_OF_WEB = ("recado_socket_closes", "recado_upload", "recado_http_requests", "recado_provider_callbacks")
