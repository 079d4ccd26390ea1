"""Sentry's ingest on loopback, which keeps the envelopes that it is sent."""

import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class FakeSentry:
    def __init__(self, port: int) -> None:
        self.dsn = f"http://public@127.0.0.1:{port}/1"
        # All that came, for words that must not be in it.
        self.text = ""
        self.items: list[tuple[str, dict[str, Any]]] = []

    def keep(self, body: bytes) -> None:
        self.text += body.decode()
        lines = body.splitlines()[1:]
        for header, payload in zip(lines[::2], lines[1::2], strict=True):
            self.items.append((json.loads(header)["type"], json.loads(payload)))

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [payload for each, payload in self.items if each == kind]


@contextmanager
def run_sentry() -> Iterator[FakeSentry]:
    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            sentry.keep(gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as http.server calls it
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    server.daemon_threads = True
    sentry = FakeSentry(server.server_port)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield sentry
    finally:
        server.shutdown()
        server.server_close()
