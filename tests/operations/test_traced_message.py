"""One trace, from the request that brings a message to the frame that tells of it, over real processes."""

import hashlib
import hmac
import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from apps.messaging.models import EventCursor, Message
from celery_app import QUEUES
from local.processes import Process
from tests.cast import House, as_member, with_key
from tests.collector import Collector, Kept, run_collector
from tests.messaging.conftest import _running_provider, provider  # noqa: F401 - fixtures
from tests.messaging.desk import ANA, open_account
from tests.messaging.provider import APP_SECRET, Provider
from tests.messaging.test_receipts import status, whatsapp_callback
from tests.realtime.socket import greeted
from tests.server import Server, environment_of, run_server

pytestmark = pytest.mark.django_db(transaction=True)
TRACE, CALLER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TEXT = "the words of a person"


@dataclass
class Installation:
    server: Server
    worker: Process
    collector: Collector


@pytest.fixture
def installation(
    transactional_db: None,
    _running_provider: Provider,  # noqa: F811 - the fixture
    tmp_path: Path,
) -> Iterator[Installation]:
    EventCursor.objects.update_or_create(pk=1, defaults={"transaction": "0", "event_id": 0})
    with run_collector() as collector:
        changed = {
            "WHATSAPP_CLOUD_URL": f"{_running_provider.url}/whatsapp/v23.0",
            "OUTBOUND_ALLOWED_NETWORKS": "127.0.0.0/8",
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            # Only what a caller asks for.
            "TRACES_SAMPLE_RATIO": "0",
        }
        with run_server(tmp_path, **changed) as server:
            command: list[str | Path] = [
                *(sys.executable, "-m", "celery", "--app", "celery_app", "worker", "--concurrency", "2"),
                *("--loglevel", "info", "--hostname", "worker-test@%h", "--queues", ",".join(QUEUES)),
            ]
            worker = Process(
                "worker", command, tmp_path / "worker.log", env=environment_of(tmp_path, server.url, **changed)
            )
            worker.start()
            try:
                worker.wait_until(lambda: worker.has_written(" ready."), 60)
                yield Installation(server, worker, collector)
            finally:
                worker.stop()


def test_message_is_followed_from_the_api_to_the_frame(installation: Installation, aurora: House) -> None:
    account = open_account(aurora, "whatsapp_cloud")
    server, collector = installation.server, installation.collector
    credential = with_key(aurora.organization).credential
    with greeted(server, as_member(aurora.agent).credential) as socket, server.client(credential) as client:
        socket.subscribe_to_all()
        body = {"account_id": str(account.id), "to": ANA, "text": TEXT}
        answer = client.post("/v1/messages", json=body, headers={"traceparent": f"00-{TRACE}-{CALLER}-01"})
        message_id = answer.json()["id"]
        unheard = client.post("/v1/messages", json=body).json()["id"]
        frames = heard(socket, message_id, "sent")
        receipt = whatsapp_callback(status("delivered", message_id))
        signature = "sha256=" + hmac.new(APP_SECRET.encode(), receipt, hashlib.sha256).hexdigest()
        headers = {"X-Hub-Signature-256": signature, "Content-Type": "application/json"}
        assert client.post("/v1/hooks/whatsapp_cloud", content=receipt, headers=headers).status_code == 200
        frames += heard(socket, message_id, "delivered")
    collector.wait_for(lambda: len(collector.named("frame")) == len(frames) and collector.named("record"))
    installation.worker.stop()

    assert {span.trace_id for span in collector.spans} == {TRACE}
    assert parents(span for span in collector.spans if span.name != "publish") == {
        ("POST /v1/messages", CALLER),
        ("accept", "POST /v1/messages"),
        ("drain", "accept"),
        ("claim", "drain"),
        ("send", "accept"),
        ("record", "drain"),
        ("receipt", "accept"),
        ("frame", "accept"),
    }
    assert collector.named("publish")
    assert {span.process for span in collector.spans} == {"web", "worker-test"}
    told = sorted(span.attributes["recado.status"] for span in collector.named("frame"))
    assert told == sorted(frame["status"] for frame in frames)
    assert {span.message_id for name in ("accept", "send", "receipt", "frame")
            for span in collector.named(name)} == {message_id}  # fmt: skip
    # The other one left no trace of any kind, and nobody sees ids of traces in a frame.
    assert Message.across_organizations.get(pk=unheard).trace is None
    assert not any("traceparent" in frame for frame in frames)
    for secret in (TEXT, ANA[1:], credential.split()[1]):
        assert secret.encode() not in collector.bodies
    assert traced_lines(server.log) == {TRACE}


def heard(socket: Any, message_id: str, last: str) -> list[dict[str, Any]]:
    frames: list[dict[str, Any]] = []
    while not frames or frames[-1]["status"] != last:
        frame = socket.hear()
        if frame.get("message_id") == message_id:
            frames.append(frame)
    return frames


def parents(spans: Iterable[Kept]) -> set[tuple[str, str]]:
    all_of_them = list(spans)
    names = {span.span_id: span.name for span in all_of_them}
    return {(span.name, names.get(span.parent, span.parent)) for span in all_of_them}


def traced_lines(log: Path) -> set[str]:
    lines = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    return {line["trace_id"] for line in lines if "trace_id" in line}
