"""Spans that have ended go to the collector: OTLP over HTTP, in its JSON form. Imported only where it is wanted.

OpenTelemetry's own SDK does the same for ten times as much work in each process that sends messages (ADR 0037).

A collector that is slow or dead costs nobody anything: spans wait in a queue with an end, a thread beside
everything else sends them, and after a failure they are dropped for a while.
"""

import threading
import time
from collections.abc import Sequence
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import orjson
import structlog
from django.conf import settings

from apps.core.tracing.span import Span

logger = structlog.get_logger(__name__)

MOST_WAITING = 8192
# Few enough that whoever sends messages beside them is not kept waiting.
AT_ONCE = 256
EVERY_SECONDS = 1.0
# For one request to the collector; and for all of them when the process ends.
EXPORT_SECONDS = 2.0
# A collector that failed is left alone for so long, and the log is told so often.
REST_SECONDS = 10.0
WARNING_SECONDS = 300.0
LONGEST_ANSWER = 64 * 1024

_KINDS = {"internal": 1, "server": 2, "client": 3, "producer": 4, "consumer": 5}
_ERROR = 2


class Exporter:
    def __init__(self, process: str) -> None:
        about = {
            "service.name": "recado",
            "service.version": settings.RELEASE or "unknown",
            "recado.process": process,
        }
        self._resource = {"attributes": _attributes(about)}
        self._address = urlsplit(f"{settings.OTEL_EXPORTER_OTLP_ENDPOINT}/v1/traces")
        self._headers = {"Content-Type": "application/json", **settings.OTEL_EXPORTER_OTLP_HEADERS}
        self._waiting: list[Span] = []
        self._dropped = 0
        self._rests_until = self._silent_until = 0.0
        self._ends_at = float("inf")
        self._told_to_end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="traces", daemon=True)
        self._thread.start()

    def keep(self, span: Span) -> None:
        if len(self._waiting) < MOST_WAITING:
            self._waiting.append(span)
        else:
            self._dropped += 1

    def close(self) -> None:
        self._ends_at = time.monotonic() + EXPORT_SECONDS
        self._told_to_end.set()
        self._thread.join(2 * EXPORT_SECONDS)

    def _run(self) -> None:
        while not self._told_to_end.wait(EVERY_SECONDS):
            self._export_all()
        self._export_all()

    def _export_all(self) -> None:
        while self._waiting:
            spans, self._waiting[:AT_ONCE] = self._waiting[:AT_ONCE], []
            if self._rests_until <= time.monotonic() < self._ends_at and self._export(spans):
                continue
            self._dropped += len(spans)

    def _export(self, spans: Sequence[Span]) -> bool:
        try:
            status = self._post(self._written(spans))
        except (OSError, HTTPException, ValueError, TypeError) as error:
            return self._fail(type(error).__name__)
        return 200 <= status < 300 or self._fail(str(status))

    def _post(self, body: bytes) -> int:
        to = self._address
        make = HTTPSConnection if to.scheme == "https" else HTTPConnection
        connection = make(to.hostname or "", to.port, timeout=EXPORT_SECONDS)
        try:
            connection.request("POST", to.path, body, self._headers)
            answer = connection.getresponse()
            answer.read(LONGEST_ANSWER)
            return answer.status
        finally:
            connection.close()

    def _fail(self, reason: str) -> bool:
        now = time.monotonic()
        self._rests_until = now + REST_SECONDS
        if now >= self._silent_until:
            self._silent_until = now + WARNING_SECONDS
            logger.warning("traces_not_exported", reason=reason, dropped=self._dropped)
        return False

    def _written(self, spans: Sequence[Span]) -> bytes:
        scope = {"scope": {"name": "recado"}, "spans": [_span(span) for span in spans]}
        return orjson.dumps({"resourceSpans": [{"resource": self._resource, "scopeSpans": [scope]}]})


def _span(span: Span) -> dict[str, Any]:
    return {
        "traceId": span.trace_id,
        "spanId": span.span_id,
        "parentSpanId": span.parent_id,
        "name": span.name,
        "kind": _KINDS[span.kind],
        "startTimeUnixNano": str(span.started),
        "endTimeUnixNano": str(span.ended),
        "attributes": _attributes(span.attributes),
        "links": [{"traceId": each.trace_id, "spanId": each.span_id} for each in span.links],
        "status": {"code": _ERROR} if span.is_error else {},
    }


def _attributes(attributes: Any) -> list[dict[str, Any]]:
    return [{"key": name, "value": _value(value)} for name, value in attributes.items()]


def _value(value: str | float | bool | UUID) -> dict[str, Any]:
    if isinstance(value, str | UUID):
        return {"stringValue": value}
    if isinstance(value, bool):
        return {"boolValue": value}
    # As text, for JSON's numbers are not as long as 64 bits.
    return {"intValue": str(value)} if isinstance(value, int) else {"doubleValue": value}
