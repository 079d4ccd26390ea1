"""Between the command line and the server with its storage: shows what passes, and fails as it is told."""

import json
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from local.ports import HOST

_PASSED_ON = ("Content-Type", "Content-Range", "Retry-After")
CUT = 0


class Relay(ThreadingHTTPServer):
    def __init__(self, server_url: str) -> None:
        super().__init__((HOST, 0), _Passing)
        self.server_url = server_url
        self.url = f"http://{HOST}:{self.server_port}"
        # Numbers of parts that reached the storage, in the order in which they did.
        self.parts: list[int] = []
        # What the storage was asked with.
        self.part_headers: list[dict[str, str]] = []
        self.ranges: list[str | None] = []
        # For each part what it is answered first: a status, or CUT.
        self.faults: dict[int, list[int]] = defaultdict(list)
        # These wait, until they are released.
        self.held: set[int] = set()
        self.waiting: list[int] = []
        self.released = threading.Event()


class _Passing(BaseHTTPRequestHandler):
    server: Relay

    def do_GET(self) -> None:
        if self.path.startswith("/v1/storage/"):
            self.server.ranges.append(self.headers["Range"])
        self._pass_on(b"")

    def do_POST(self) -> None:
        self._pass_on(self.rfile.read(int(self.headers["Content-Length"])))

    def do_PUT(self) -> None:
        relay = self.server
        number = int(parse_qs(urlsplit(self.path).query)["part"][0])
        if relay.faults[number]:
            self._fail(relay.faults[number].pop(0))
            return
        if number in relay.held:
            relay.waiting.append(number)
            relay.released.wait()
        length = int(self.headers["Content-Length"])
        content = self.rfile.read(length)
        if len(content) < length:
            return
        relay.part_headers.append(dict(self.headers))
        if self._pass_on(content):
            relay.parts.append(number)

    def _fail(self, status: int) -> None:
        self.rfile.read(1024 * 1024)
        if status == CUT:
            return
        self.rfile.read(int(self.headers["Content-Length"]) - 1024 * 1024)
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _pass_on(self, body: bytes) -> bool:
        headers = {name: value for name, value in self.headers.items() if name != "Host"}
        # Also closed where the server hangs up on a part that it wants no more.
        with closing(HTTPConnection(self.server.server_url.removeprefix("http://"), timeout=20)) as there:
            there.request(self.command, self.path, body, headers)
            answer = there.getresponse()
            said = self._through_us(answer.read())
        self.send_response(answer.status)
        for name in _PASSED_ON:
            if value := answer.headers[name]:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)
        return answer.status == 200

    def _through_us(self, said: bytes) -> bytes:
        """Links into the storage lead here, and say which part they are of."""
        if not self.path.endswith(("/parts", "/presigned")):
            return said
        answer = json.loads(said)
        for link in answer.get("data", [answer]):
            if "url" in link:
                link["url"] = link["url"].replace(self.server.server_url, self.server.url)
                link["url"] += f"?part={link['number']}" if "number" in link else ""
        return json.dumps(answer).encode()

    def log_message(self, *_arguments: object) -> None:
        pass


@contextmanager
def run_relay(server_url: str) -> Iterator[Relay]:
    relay = Relay(server_url)
    thread = threading.Thread(target=relay.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield relay
    finally:
        relay.released.set()
        relay.shutdown()
        thread.join()
        relay.server_close()
