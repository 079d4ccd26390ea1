import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import ThreadingHTTPServer

import pytest
from pytest_django import Settings

from apps.core.side_door import Page, open_side_door


def _fails() -> Page:
    raise ValueError("a secret detail")


@pytest.fixture
def door(settings: Settings) -> Iterator[ThreadingHTTPServer]:
    settings.INTERNAL_ADDRESS = ("127.0.0.1", 0)
    server = open_side_door({"/healthz": lambda: Page(b"well\n"), "/metrics": _fails})
    assert server is not None
    yield server
    server.shutdown()
    server.server_close()


def _ask(door: ThreadingHTTPServer, path: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{door.server_port}{path}", timeout=5) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_side_door_shows_its_pages_and_names_them_to_whoever_asks_for_others(door: ThreadingHTTPServer) -> None:
    assert _ask(door, "/healthz?from=kubelet") == (200, b"well\n")
    assert _ask(door, "/admin/") == (404, b"Here are /healthz, /metrics.\n")


def test_page_that_fails_says_so_and_not_why(door: ThreadingHTTPServer) -> None:
    assert _ask(door, "/metrics") == (500, b"This failed. The log says why.\n")
    assert _ask(door, "/healthz") == (200, b"well\n")


def test_there_is_no_side_door_where_none_is_wanted(settings: Settings) -> None:
    settings.INTERNAL_ADDRESS = None
    assert open_side_door({}) is None
