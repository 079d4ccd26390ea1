"""Stands where Flower would, on loopback: answers what a test tells it to, and remembers what it was asked."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from local.ports import HOST


@dataclass
class FakeFlower:
    url: str = ""
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "text/html; charset=UTF-8"})
    content: bytes = b"<h1>Workers</h1>"
    # Where the head of an answer promises more than comes.
    length: int | None = None
    # Called in place of the usual body.
    write: Callable[[Callable[[bytes], object]], None] | None = None
    # No answer before this is set.
    may_answer: threading.Event = field(default_factory=threading.Event)
    is_asked: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))


@contextmanager
def fake_flower() -> Iterator[FakeFlower]:
    fake = FakeFlower()
    fake.may_answer.set()

    class Handler(BaseHTTPRequestHandler):
        def handle_one_request(self) -> None:
            try:
                super().handle_one_request()
            except OSError:  # it was hung up on
                self.close_connection = True

        def do_GET(self) -> None:
            fake.asked.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}))
            fake.is_asked.release()
            fake.may_answer.wait(20)
            self.send_response(fake.status)
            for name, value in fake.headers.items():
                self.send_header(name, value)
            if fake.write is None:
                self.send_header("Content-Length", str(fake.length or len(fake.content)))
            self.end_headers()
            if fake.write is None:
                self.wfile.write(fake.content)
            else:
                fake.write(self.wfile.write)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer((HOST, 0), Handler)
    server.daemon_threads = True
    serving = threading.Thread(target=server.serve_forever, args=[0.05], daemon=True)
    serving.start()
    fake.url = f"http://{HOST}:{server.server_port}"
    try:
        yield fake
    finally:
        fake.may_answer.set()
        server.shutdown()
        server.server_close()
        serving.join()
