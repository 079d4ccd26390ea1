"""How web leaves: it says so, serves on until that was heard, and closes what is open with a reason."""

import signal
from pathlib import Path

import httpx
import pytest

from tests.realtime.socket import greeted
from tests.server import run_server

pytestmark = pytest.mark.django_db(transaction=True)

# Longer than the test: a second SIGTERM ends it.
DRAIN_SECONDS = 120


def _is_draining(client: httpx.Client) -> bool:
    answer = client.get("/readyz")
    return answer.status_code == 503 and answer.json()["status"] == "draining"


def test_web_says_that_it_leaves_serves_on_and_closes_sockets_with_a_reason(tmp_path: Path, token: str) -> None:
    with run_server(tmp_path, DRAIN_SECONDS) as server:
        with server.client(token) as client, greeted(server, token) as early:
            server.process.signal_stop()
            server.process.wait_until(lambda: _is_draining(client), 20)
            assert client.get("/healthz").json() == {"status": "ok"}
            assert client.get("/v1/contacts").status_code == 200
            # From the next second on, nobody keeps a connection that is about to be closed.
            server.process.wait_until(lambda: client.get("/healthz").headers.get("connection") == "close", 10)
            with greeted(server, token) as late:
                assert late.subscribe_to_all()["type"] == "subscribed"
                server.process.signal_stop()
                assert [each.close_code(30) for each in (early, late)] == [1012, 1012]
        assert server.process.wait_until_ended(30) == 0


def test_web_that_is_interrupted_stops_at_once(tmp_path: Path) -> None:
    with run_server(tmp_path, DRAIN_SECONDS) as server:
        server.process.stop_signal = signal.SIGINT
        server.process.signal_stop()
        server.process.wait_until_ended(30)
