"""What stands between the web server and Django: long bodies, threads, static files."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import clear_url_caches, path

from apps.core.asgi.threads import MOST_PROBES_WAITING, PROBING_THREADS, ThreadedDjango
from tests.server import Server

pytestmark = pytest.mark.django_db(transaction=True)
MOST = 2 * 1024 * 1024


def test_announced_long_body_is_refused_before_it_is_sent(server: Server) -> None:
    """The client gets its answer without having sent a byte of the body."""
    address = urlsplit(server.url)
    with socket.create_connection((address.hostname, address.port or 0), timeout=10) as connection:
        head = f"POST /v1/auth/token HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Length: {MOST + 1}\r\n\r\n"
        connection.sendall(head.encode())
        answer = connection.recv(4096)
    assert answer.startswith(b"HTTP/1.1 413")
    assert b"application/problem+json" in answer


def test_chunked_body_is_refused_where_it_becomes_too_long(server: Server) -> None:
    def chunks() -> object:
        for _ in range(64):
            yield b" " * 65536

    with server.client() as client:
        answer = client.post("/v1/auth/token", content=chunks(), headers={"Content-Type": "application/json"})  # type: ignore[arg-type]
    assert answer.status_code == 413
    assert answer.json()["code"] == "body_too_large"


def test_body_of_the_allowed_length_reaches_the_view(server: Server) -> None:
    with server.client() as client:
        answer = client.post("/v1/auth/token", content=b" " * MOST, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["code"] == "malformed_json"


class Client:
    """What a web server would be to the application."""

    def __init__(self, path: str, *, method: str = "GET", body: list[dict[str, Any]] | None = None) -> None:
        self.scope = {
            "type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": b"",
            "headers": [(b"host", b"testserver")], "scheme": "http", "server": ("testserver", 80), "root_path": "",
            "client": ("127.0.0.1", 1), "http_version": "1.1",
        }  # fmt: skip
        self._to_come = body or [{"type": "http.request", "body": b""}]
        self.sent: list[dict[str, Any]] = []

    async def receive(self) -> dict[str, Any]:
        return self._to_come.pop(0) if self._to_come else {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        self.sent.append(dict(message))

    async def ask(self, application: ThreadedDjango) -> "Client":
        await application(self.scope, self.receive, self.send)
        return self

    @property
    def status(self) -> int:
        return int(self.sent[0]["status"])

    @property
    def content(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent[1:])


@pytest.fixture
def application(monkeypatch: pytest.MonkeyPatch) -> Iterator[ThreadedDjango]:
    monkeypatch.setattr("django.conf.settings.ROOT_URLCONF", __name__)
    yield ThreadedDjango(threads=2, most_waiting=1)
    clear_url_caches()


seen: list[str] = []
release = threading.Event()


def stream(_request: HttpRequest) -> StreamingHttpResponse:
    def parts() -> Iterator[bytes]:
        try:
            for number in range(3):
                seen.append(threading.current_thread().name)
                yield f"part {number};".encode()
        finally:
            seen.append("closed")

    return StreamingHttpResponse(parts())


def slow(_request: HttpRequest) -> HttpResponse:
    release.wait(20)
    return HttpResponse("done")


def query(_request: HttpRequest) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    response = HttpResponse("ok")
    response.set_cookie("a", "1")
    response.set_cookie("b", "2")
    return response


urlpatterns = [path("stream", stream), path("slow", slow), path("query", query)]


async def test_streamed_answer_arrives_whole_and_is_closed(application: ThreadedDjango) -> None:
    seen.clear()
    client = await Client("/stream").ask(application)
    assert client.status == 200
    assert client.content == b"part 0;part 1;part 2;"
    assert seen[-1] == "closed"
    assert all(name.startswith("request") for name in seen[:-1])


async def test_streamed_answer_is_closed_when_the_client_hangs_up(application: ThreadedDjango) -> None:
    seen.clear()
    client = Client("/stream")

    async def hang_up(message: Any) -> None:
        if message["type"] == "http.response.body":
            raise OSError("gone")

    client.send = hang_up  # type: ignore[method-assign]
    with pytest.raises(OSError, match="gone"):
        await client.ask(application)
    assert seen[-1] == "closed"


async def test_client_that_hangs_up_before_its_body_is_whole_is_let_go(application: ThreadedDjango) -> None:
    body = [{"type": "http.request", "body": b"{", "more_body": True}]
    client = await Client("/query", method="POST", body=body).ask(application)
    assert client.sent == []


async def test_all_headers_and_cookies_are_sent(application: ThreadedDjango) -> None:
    client = await Client("/query").ask(application)
    names = [name for name, _ in client.sent[0]["headers"]]
    assert names.count(b"set-cookie") == 2
    assert b"x-request-id" in [name.lower() for name in names]


async def test_more_than_can_wait_are_told_so_at_once(application: ThreadedDjango) -> None:
    release.clear()
    waiting = [asyncio.create_task(Client("/slow").ask(application)) for _ in range(3)]
    await asyncio.sleep(0)
    late = await Client("/slow").ask(application)
    release.set()
    answered = await asyncio.gather(*waiting)
    assert late.status == 503
    assert (b"retry-after", b"1") in late.sent[0]["headers"]
    assert [client.status for client in answered] == [200] * 3
    assert (await Client("/slow").ask(application)).status == 200


async def test_many_probes_take_no_place_of_a_request(
    application: ThreadedDjango, monkeypatch: pytest.MonkeyPatch
) -> None:
    probes = {"/slow": slow, "/readyz": query}
    monkeypatch.setattr("apps.core.health.PROBES", probes)
    monkeypatch.setattr("apps.core.asgi.threads.PROBES", probes)
    release.clear()
    most = PROBING_THREADS + MOST_PROBES_WAITING
    waiting = [asyncio.create_task(Client("/slow").ask(application)) for _ in range(most)]
    await asyncio.sleep(0)
    # A flood of them grows no queue without end, and stops nobody who has something to bring.
    late = await Client("/readyz").ask(application)
    brought = await Client("/query").ask(application)
    release.set()
    answered = await asyncio.gather(*waiting)
    assert (late.status, brought.status) == (503, 200)
    assert [client.status for client in answered] == [200] * most


async def test_idle_senders_take_nobodys_place(application: ThreadedDjango) -> None:
    hang = asyncio.Event()

    async def never() -> dict[str, Any]:
        await hang.wait()
        return {"type": "http.disconnect"}

    idle = []
    for _ in range(20):
        client = Client("/query", method="POST")
        client.receive = never  # type: ignore[method-assign]
        idle.append(asyncio.create_task(client.ask(application)))
    await asyncio.sleep(0)
    assert (await Client("/query").ask(application)).status == 200
    hang.set()
    await asyncio.gather(*idle)


async def test_body_that_never_comes_is_given_up(
    application: ThreadedDjango, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.core.asgi.threads.BODY_SECONDS", 0.05)
    client = Client("/query", method="POST")
    client.receive = asyncio.Event().wait  # type: ignore[method-assign,assignment]
    assert (await client.ask(application)).status == 408


@pytest.mark.parametrize("content_type", ["application/json; charset*=utf-8''%00", "text/plain; charset=utf-16"])
async def test_content_type_that_makes_no_sense_is_refused(application: ThreadedDjango, content_type: str) -> None:
    client = Client("/query", method="POST")
    client.scope["headers"].append((b"content-type", content_type.encode()))  # type: ignore[attr-defined]
    assert (await client.ask(application)).status in {400, 415}
    assert b"retry-after" not in dict(client.sent[0]["headers"])


async def test_probes_wait_for_no_request(application: ThreadedDjango) -> None:
    release.clear()
    slow_ones = [asyncio.create_task(Client("/slow").ask(application)) for _ in range(3)]
    await asyncio.sleep(0)
    try:
        async with asyncio.timeout(10):
            assert (await Client("/query").ask(application)).status == 503
            assert (await Client("/readyz").ask(application)).status == 200
            alive = await Client("/healthz").ask(application)
            assert (alive.content, (await Client("/healthz", method="HEAD").ask(application)).status) == (
                b'{"status":"ok"}',
                200,
            )
        assert not any(each.done() for each in slow_ones)
    finally:
        release.set()
        await asyncio.gather(*slow_ones)


def readiness(server: Server) -> str:
    """With a client of its own: one shared by many threads now and then loses a connection."""
    with server.client() as client:
        return str(client.get("/readyz").json()["status"])


def test_database_connections_are_given_back_after_each_request(server: Server) -> None:
    """More clients than connections: all are answered, because no request keeps one."""

    def ask(_number: int) -> int:
        with server.client("Api-Key rk_0123456789ab_nobody-has-this-one") as client:
            return client.get("/v1/me").status_code

    with ThreadPoolExecutor(40) as threads:
        assert list(threads.map(ask, range(120))) == [401] * 120


def test_requests_go_on_after_the_database_was_restarted(server: Server) -> None:
    """Every connection that the pool kept is dead; nobody's request pays for finding out."""
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: readiness(server), range(16)))
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE pid <> pg_backend_pid() AND datname = current_database()"
            )
        answers = list(threads.map(lambda _: readiness(server), range(16)))
    assert answers == ["ok"] * 16


def test_static_files_are_served_with_their_type(server: Server) -> None:
    with server.client() as client:
        answer = client.get("/static/accounts/pages.css")
        missing = client.get("/static/accounts/nothing.css")
        outside = client.get("/static/..%2f..%2fmanage.py")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/css")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert missing.status_code == outside.status_code == 404
