"""A collector of traces on loopback, which takes them as OTLP has it and keeps them."""

import base64
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import orjson
from google.protobuf.json_format import ParseDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

IDS = {"traceId", "spanId", "parentSpanId"}


@dataclass(frozen=True)
class Kept:
    """A span, as it arrived."""

    name: str
    trace_id: str
    span_id: str
    parent: str
    links: frozenset[str]
    attributes: dict[str, Any]
    process: str
    is_error: bool

    @property
    def message_id(self) -> str:
        return str(self.attributes.get("recado.message_id", ""))


class Collector:
    def __init__(self, url: str) -> None:
        self.url = url
        self.spans: list[Kept] = []
        # All that came, for words that must not be in it.
        self.bodies = b""
        self.breaks = False

    def keep(self, body: bytes) -> None:
        self.bodies += body
        for resource in _read(body).resource_spans:
            about = _attributes(resource.resource.attributes)
            assert about["service.name"] == "recado"
            for scope in resource.scope_spans:
                self.spans += [_kept(span, about["recado.process"]) for span in scope.spans]

    def named(self, name: str) -> list[Kept]:
        return [span for span in self.spans if span.name == name]

    def of_trace(self, trace_id: str) -> list[Kept]:
        return [span for span in self.spans if span.trace_id == trace_id]

    def wait_for(self, is_so: Callable[[], Any], seconds: float = 20) -> Any:
        deadline = time.monotonic() + seconds
        while not (found := is_so()):
            assert time.monotonic() < deadline, f"only {sorted(span.name for span in self.spans)} came"
            time.sleep(0.02)
        return found


def _read(body: bytes) -> Any:
    """Held against the protocol's definition, which takes no name that it does not know.

    Of OTLP's JSON, ids are in hexadecimal, where everybody else's has base64.
    """

    def in_base64(found: Any) -> Any:
        if isinstance(found, dict):
            return {
                name: base64.b64encode(bytes.fromhex(value)).decode() if name in IDS else in_base64(value)
                for name, value in found.items()
            }
        return [in_base64(each) for each in found] if isinstance(found, list) else found

    return ParseDict(in_base64(orjson.loads(body)), ExportTraceServiceRequest())


def _kept(span: Any, process: str) -> Kept:
    return Kept(
        span.name,
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        frozenset(link.trace_id.hex() for link in span.links),
        _attributes(span.attributes),
        process,
        span.status.code == 2,
    )


def _attributes(given: Any) -> dict[str, Any]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in given}


@contextmanager
def run_collector() -> Iterator[Collector]:
    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if collector.breaks:
                self.send_response(500)
            elif self.path != "/v1/traces":
                self.send_response(404)
            else:
                collector.keep(body)
                self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as http.server calls it
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    server.daemon_threads = True
    collector = Collector(f"http://127.0.0.1:{server.server_port}")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield collector
    finally:
        server.shutdown()
        server.server_close()
