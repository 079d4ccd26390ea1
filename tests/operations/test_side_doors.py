"""Processes as they run: a worker with children, beat, web and gRPC, each with its side door."""

import os
import signal
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
from local.ports import HOST, free_port
from local.processes import Process
from tests.cast import House
from tests.messaging.conftest import _running_provider, provider  # noqa: F401 - fixtures
from tests.messaging.desk import Desk, open_account
from tests.messaging.provider import Provider
from tests.server import environment_of, run_server

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


def test_worker_without_children_counts_too(aurora: House, start: Start) -> None:
    _, url = _worker(start, "solo")
    _send(aurora, 2, "a")
    _wait(lambda: _read(url).get(SENT) == 2, lambda: _read(url))


def test_address_that_is_taken_stops_a_worker_and_says_what_to_do(start: Start) -> None:
    _, url = _worker(start, "solo")
    second, _ = start(
        "second", *CELERY, "worker", "--pool", "prefork", "--concurrency", "1", "--hostname", "second@%h",
        "--queues", QUEUES[0], address=url.split("/")[2],
    )  # fmt: skip
    _wait(lambda: second.exit_code is not None, second.last_lines)
    assert second.exit_code == 1
    assert second.has_written("side_door_not_opened")
    assert second.has_written("INTERNAL_ADDRESS of its own")


def test_beat_and_grpc_have_a_side_door(start: Start, tmp_path: Path) -> None:
    schedule = ("--scheduler", "celery.beat:PersistentScheduler", "--schedule", str(tmp_path / "schedule"))
    beat, of_beat = start("beat", *CELERY, "beat", "--pidfile=", *schedule)
    grpc, of_grpc = start("grpc", sys.executable, "-m", "project.grpc_server", "--port", str(free_port()))
    for process, url in ((beat, of_beat), (grpc, of_grpc)):
        _wait(lambda url=url: _answers(url), process.last_lines)  # type: ignore[misc]
        assert _read(url)["recado_build_info['unknown']"] == 1


def test_web_shows_the_installation_at_its_side_door_and_with_the_token(tmp_path: Path) -> None:
    port = free_port()
    with (
        run_server(tmp_path, INTERNAL_ADDRESS=f"{HOST}:{port}", METRICS_TOKEN=TOKEN) as server,
        server.client() as stranger,
        server.client(f"Bearer {TOKEN}") as prometheus,
    ):
        assert stranger.get("/metrics").status_code == 404
        stranger.get("/v1/messages")
        answer = prometheus.get("/metrics")
        assert answer.status_code == 200
        assert 'recado_http_requests_total{method="GET",route="/v1/messages",status="4xx"} 1.0' in answer.text
        beside = httpx.get(f"http://{HOST}:{port}/metrics", timeout=10, trust_env=False)
        for text in (answer.text, beside.text):
            assert "recado_installation_read_failed 0.0" in text
        assert "/metrics" not in server.log.read_text()


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False
