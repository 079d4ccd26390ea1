"""Where a provider keeps what people sent: well-behaved unless a test says otherwise."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from django.db import connection

_RANGE = re.compile(r"bytes=([0-9]+)-([0-9]+)")


@dataclass(frozen=True)
class Asked:
    path: str
    # From the first byte to before the second; None where no range was asked for.
    span: tuple[int, int] | None
    authorization: str


@dataclass(frozen=True)
class Reply:
    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


type Answer = Callable[[Asked], Reply | None]
"""None: as a good server would."""


@dataclass
class FileServer:
    url: str
    # By path.
    files: dict[str, bytes] = field(default_factory=dict)
    answer: Answer = lambda _asked: None
    asked: list[Asked] = field(default_factory=list)

    def keep(self, content: bytes, path: str = "/file") -> str:
        self.files[path] = content
        return self.url + path

    def spans(self) -> list[tuple[int, int]]:
        """Of all that was asked for, in order."""
        return [asked.span for asked in self.asked if asked.span is not None]

    def reply(self, asked: Asked) -> Reply:
        self.asked.append(asked)
        return self.answer(asked) or self.good(asked)

    def good(self, asked: Asked) -> Reply:
        content = self.files.get(asked.path)
        if content is None:
            return Reply(404)
        if asked.span is None:
            return Reply(200, content)
        start, stop = asked.span
        if start >= len(content):
            return Reply(416, headers={"Content-Range": f"bytes */{len(content)}"})
        part = content[start:stop]
        return Reply(206, part, {"Content-Range": f"bytes {start}-{start + len(part) - 1}/{len(content)}"})


@contextmanager
def run_file_server() -> Iterator[FileServer]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            found = _RANGE.fullmatch(self.headers.get("Range", ""))
            span = (int(found[1]), int(found[2]) + 1) if found else None
            reply = files.reply(Asked(self.path, span, self.headers.get("Authorization", "")))
            connection.close()  # of this thread, where a test has looked something up meanwhile
            self.send_response(reply.status)
            for name, value in {"Content-Length": str(len(reply.body)), **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.body)

        do_POST = do_GET  # noqa: N815 - as its base calls it

        def log_message(self, *_args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        files = FileServer(f"http://127.0.0.1:{server.server_port}")
        thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield files
        finally:
            server.shutdown()
            thread.join()
