"""Flower is behind the admin's log-in: superusers look at it, nobody changes anything through it."""

import base64
import hashlib
import importlib.util
import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings
from tornado.template import filter_whitespace

from apps.accounts.models import User
from apps.operations import flower
from apps.operations.admin.flower_page import INLINE_SCRIPT, MOST_QUERY_BYTES
from local.ports import HOST, free_port
from tests.cast import House
from tests.live.test_views import browser_of
from tests.operations.fake_flower import FakeFlower, fake_flower

pytestmark = pytest.mark.django_db

SECRET = "recado:what-flower-and-we-know"
WORKERS = "/admin/flower/workers"


@pytest.fixture
def upstream(settings: Settings) -> Iterator[FakeFlower]:
    settings.ADMIN_REQUIRES_MFA = False
    settings.FLOWER_BASIC_AUTH = SECRET
    with fake_flower() as fake:
        settings.FLOWER_URL = fake.url
        yield fake


@pytest.fixture
def client() -> Client:
    return browser_of(User.objects.create_superuser("root@recado.example", "pão-de-queijo-quente"))


def test_superuser_reads_flower(upstream: FakeFlower, client: Client) -> None:
    answer = client.get(f"{WORKERS}?refresh=1&x=a%26b")
    assert (answer.status_code, answer.content) == (200, b"<h1>Workers</h1>")
    assert answer["Content-Type"] == "text/html; charset=UTF-8"
    assert answer["Cache-Control"] == "no-store"
    ((method, path, _headers),) = upstream.asked
    assert (method, path) == ("GET", "/admin/flower/workers?refresh=1&x=a%26b")
    assert client.get("/admin/flower/").status_code == 200
    assert client.get("/admin/flower/worker/files@one two").status_code == 200
    assert [path for _, path, _ in upstream.asked[1:]] == [
        "/admin/flower/",
        "/admin/flower/worker/files%40one%20two",
    ]


def test_words_of_any_alphabet_are_passed_on(upstream: FakeFlower, client: Client) -> None:
    assert client.get("/admin/flower/task/pão?x=ção a", QUERY_STRING="x=ção a").status_code == 200
    assert upstream.asked[0][1] == "/admin/flower/task/p%C3%A3o?x=%C3%A7%C3%A3o%20a"


def test_nothing_of_the_person_reaches_flower(upstream: FakeFlower, client: Client) -> None:
    client.get(
        WORKERS,
        headers={
            "Authorization": "Bearer of-the-person", "X-Forwarded-For": "1.2.3.4", "Connection": "keep-alive",
            "Te": "trailers", "Proxy-Authorization": "x", "Accept": "text/html", "If-None-Match": '"a"',
        },
    )  # fmt: skip
    ((_, _, headers),) = upstream.asked
    expected = f"Basic {base64.b64encode(SECRET.encode()).decode()}"
    assert headers == {
        "host": upstream.url.removeprefix("http://"), "accept-encoding": "identity", "accept": "text/html",
        "if-none-match": '"a"', "authorization": expected,
    }  # fmt: skip


def test_only_what_is_named_comes_back(upstream: FakeFlower, client: Client) -> None:
    upstream.headers |= {
        "Set-Cookie": "sessionid=theirs", "Access-Control-Allow-Origin": "*", "Server": "Tornado", "ETag": '"b"',
        "Content-Security-Policy": "default-src *", "Refresh": "0; url=https://elsewhere.example",
    }  # fmt: skip
    answer = client.get(WORKERS)
    assert answer["ETag"] == '"b"'
    assert not set(answer.headers) & {"Access-Control-Allow-Origin", "Server", "Refresh"}
    assert "theirs" not in str(answer.cookies)


def test_policy_lets_flowers_pages_reach_nothing_but_flower(upstream: FakeFlower, client: Client) -> None:
    said = client.get(WORKERS)["Content-Security-Policy"]
    policy = {name: sources for name, *sources in (part.split() for part in said.split(";"))}
    own = "http://testserver/admin/flower/"
    assert policy == {
        "default-src": ["'none'"], "base-uri": ["'none'"], "connect-src": [own], "font-src": ["'none'"],
        "form-action": ["'none'"], "frame-ancestors": ["'none'"], "img-src": [own, "data:"],
        "script-src": [f"{own}static/", INLINE_SCRIPT], "style-src": [f"{own}static/", "'unsafe-inline'"],
    }  # fmt: skip
    assert "flower" not in client.get("/admin/")["Content-Security-Policy"]


def test_policy_knows_the_only_inline_script_of_flower() -> None:
    package = importlib.util.find_spec("flower")
    assert package is not None
    assert package.origin is not None
    folder = Path(package.origin).parent / "templates"
    templates = {path.name: path.read_text() for path in folder.glob("*.html")}
    inline = {name for name, text in templates.items() if re.search(r"<script(?![^>]*src=)", text)}
    assert inline == {"workers.html"}
    # As Tornado writes it, which brings white space together.
    (script,) = re.findall(r"<script[^>]*>([^<]+)<", filter_whitespace("single", templates["workers.html"]))
    digest = hashlib.sha256(script.replace("{{ autorefresh }}", "1").encode()).digest()
    assert f"'sha256-{base64.b64encode(digest).decode()}'" == INLINE_SCRIPT


@pytest.mark.parametrize("path", ["workers", "api/worker/shutdown/worker@one", "api/task/revoke/1"])
@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "options"])
def test_nothing_is_changed_through_it(upstream: FakeFlower, client: Client, method: str, path: str) -> None:
    answer = getattr(client, method)(f"/admin/flower/{path}")
    assert answer.status_code == 405
    assert answer["Allow"] == "GET, HEAD"
    assert "to be looked at only" in answer.content.decode()
    assert upstream.asked == []


def test_head_is_answered_without_a_body(upstream: FakeFlower, client: Client) -> None:
    answer = client.head(WORKERS)
    assert (answer.status_code, answer.content) == (200, b"")
    assert upstream.asked[0][0] == "GET"


def test_table_of_tasks_is_asked_by_post_and_only_read(upstream: FakeFlower, client: Client) -> None:
    upstream.headers, upstream.content = {"Content-Type": "application/json"}, b'{"data": []}'
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = client.cookies
    answer = strict.post("/admin/flower/tasks/datatable", {"draw": "1", "search[value]": "a&b"})
    assert (answer.status_code, answer.json()) == (200, {"data": []})
    ((method, path, headers),) = upstream.asked
    assert (method, path) == ("GET", "/admin/flower/tasks/datatable?draw=1&search%5Bvalue%5D=a%26b")
    assert "content-length" not in headers
    too_long = strict.post("/admin/flower/tasks/datatable", {"draw": "1" * MOST_QUERY_BYTES})
    assert too_long.status_code == 414


def test_static_files_are_kept_by_the_browser(upstream: FakeFlower, client: Client) -> None:
    upstream.headers = {"Content-Type": "text/css", "Last-Modified": "Thu, 01 Jan 2026 00:00:00 GMT"}
    answer = client.get("/admin/flower/static/css/flower.css?v=1")
    assert answer["Cache-Control"] == "private, max-age=3600"
    upstream.status, upstream.content = 304, b""
    assert client.get("/admin/flower/static/css/flower.css?v=1").status_code == 304


def test_what_flower_does_not_have_is_not_there(upstream: FakeFlower, client: Client) -> None:
    upstream.status = 404
    assert client.get("/admin/flower/task/unknown").status_code == 404
    asked = len(upstream.asked)
    assert client.get("/admin/flower/static/../../elsewhere").status_code == 404
    assert len(upstream.asked) == asked


@pytest.mark.parametrize(
    ("status", "said"), [(401, "FLOWER_BASIC_AUTH"), (403, "FLOWER_BASIC_AUTH"), (302, "it is not at")]
)
def test_flower_that_is_not_as_it_should_be_is_away(
    upstream: FakeFlower, client: Client, status: int, said: str
) -> None:
    upstream.status = status
    upstream.headers |= {"Location": "https://elsewhere.example", "WWW-Authenticate": "Basic"}
    answer = client.get(WORKERS)
    assert answer.status_code == 502
    assert said in answer.content.decode()
    assert not set(answer.headers) & {"Location", "WWW-Authenticate"}


def test_flower_that_is_away_is_said_to_be(upstream: FakeFlower, client: Client, settings: Settings) -> None:
    settings.FLOWER_URL = f"http://{HOST}:{free_port()}"
    answer = client.get(WORKERS)
    assert answer.status_code == 502
    assert "Flower does not answer" in answer.content.decode()
    assert "ConnectionRefusedError" in answer.content.decode()
    assert SECRET not in answer.content.decode()
    assert "script-src 'self'" in answer["Content-Security-Policy"]


def endless(write: Callable[[bytes], object]) -> None:
    while True:
        write(b"x" * 64 * 1024)


def dripping(write: Callable[[bytes], object]) -> None:
    while True:
        write(b"x")
        time.sleep(0.02)


@pytest.mark.parametrize(("write", "reason"), [(endless, "bytes"), (dripping, "seconds")])
def test_answer_that_does_not_end_is_cut_off(
    upstream: FakeFlower, client: Client, monkeypatch: pytest.MonkeyPatch, write: Any, reason: str
) -> None:
    monkeypatch.setattr(flower, "MOST_BYTES", 1024 * 1024)
    monkeypatch.setattr(flower, "WHOLE_SECONDS", 0.3)
    upstream.write = write
    answer = client.get(WORKERS)
    assert answer.status_code == 502
    assert reason in answer.content.decode()


def test_answer_that_breaks_off_is_none(upstream: FakeFlower, client: Client) -> None:
    upstream.length = 1000
    upstream.headers["Connection"] = "close"
    assert client.get(WORKERS).status_code == 502


def test_silence_is_not_waited_for(upstream: FakeFlower, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flower, "SILENT_SECONDS", 0.2)
    upstream.may_answer.clear()
    answer = client.get(WORKERS)
    assert answer.status_code == 502
    assert "TimeoutError" in answer.content.decode()


def test_few_are_let_through_at_once(
    upstream: FakeFlower, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flower, "WAIT_SECONDS", 0.1)
    upstream.may_answer.clear()
    threads = [threading.Thread(target=flower.ask, args=[WORKERS, {}]) for _ in range(flower.MOST_AT_ONCE)]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert upstream.is_asked.acquire(timeout=10)
    answer = client.get(WORKERS)
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert "Try again" in answer.content.decode()
    upstream.may_answer.set()
    for thread in threads:
        thread.join(10)
    assert client.get(WORKERS).status_code == 200


def test_nobody_but_superusers_sees_flower(upstream: FakeFlower, aurora: House, settings: Settings) -> None:
    for method in ("get", "post"):
        answer = getattr(Client(), method)(WORKERS)
        assert answer.status_code == 302
        assert "/login/" in answer["Location"]
        for member in (aurora.owner, aurora.viewer):
            assert getattr(browser_of(member.user), method)(WORKERS).status_code == 404
    settings.ADMIN_REQUIRES_MFA = True
    root = User.objects.create_superuser("root@recado.example", "pão-de-queijo-quente")
    answer = browser_of(root).get(WORKERS)
    assert (answer.status_code, answer["Location"]) == (302, "/accounts/2fa/totp/activate/")
    assert upstream.asked == []


def test_link_is_shown_where_it_leads_somewhere(
    upstream: FakeFlower, client: Client, aurora: House, settings: Settings
) -> None:
    # In the side bar, and beside the workers.
    assert client.get("/admin/").content.decode().count('href="/admin/flower/"') == 2
    assert "/admin/flower/" not in browser_of(aurora.owner.user).get("/admin/").content.decode()
    settings.FLOWER_URL = ""
    assert "/admin/flower/" not in client.get("/admin/").content.decode()
    assert client.get(WORKERS).status_code == 404
