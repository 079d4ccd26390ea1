import socket
from urllib.parse import urlsplit

import pytest

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
