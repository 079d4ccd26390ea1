"""OpenTelemetry's SDK, and how what it gathers is exported. Imported only where traces are wanted.

A collector that is slow or dead costs nobody anything: spans wait in a queue that has an end, a thread of its own
sends them, and after a failure they are dropped for a while.
"""

import logging
import time
from collections.abc import Iterable, Sequence

import structlog
from django.conf import settings
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

from apps.core.tracing.spans import MOST_LINKS, Attributes
from apps.core.tracing.trace_context import Parent

logger = structlog.get_logger(__name__)

MOST_WAITING = 8192
AT_ONCE = 512
EVERY_MILLISECONDS = 1000
# For one request to the collector, with what is tried again; and for all of them when the process ends.
EXPORT_SECONDS = 2.0
# A collector that failed is left alone for so long, and the log is told so often.
REST_SECONDS = 10.0
WARNING_SECONDS = 300.0

_KINDS = {kind.name.lower(): kind for kind in SpanKind}


class Recorder:
    """What is asked of it is kept: who asks has decided that."""

    def __init__(self, process: str) -> None:
        # It would say of each span that the queue is full, and of each request that it failed.
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
        about = {
            "service.name": "recado",
            "service.version": settings.RELEASE or "unknown",
            "recado.process": process,
        }
        self._exporter = _Patient(OTLPSpanExporter(endpoint=_address(), timeout=EXPORT_SECONDS))
        self._provider = TracerProvider(
            sampler=ALWAYS_ON,
            resource=Resource.create(about),
            span_limits=SpanLimits(max_links=MOST_LINKS),
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(
            BatchSpanProcessor(
                self._exporter,
                max_queue_size=MOST_WAITING,
                max_export_batch_size=AT_ONCE,
                schedule_delay_millis=EVERY_MILLISECONDS,
            )
        )
        self._tracer = self._provider.get_tracer("recado")

    def start(
        self,
        name: str,
        kind: str,
        parent: Parent | None,
        attributes: Attributes | None,
        *,
        links: Iterable[Parent],
        started: int | None,
    ) -> Span:
        context = Context()
        if parent is not None:
            context = set_span_in_context(NonRecordingSpan(_context_of(parent)), context)
        return self._tracer.start_span(
            name,
            context,
            _KINDS[kind],
            attributes,
            [Link(_context_of(each)) for each in links],
            start_time=started,
        )

    def link(self, span: Span, others: Iterable[Parent]) -> None:
        for each in others:
            span.add_link(_context_of(each))

    def fail(self, span: Span, kind: str) -> None:
        span.set_attribute("error.type", kind)
        span.set_status(Status(StatusCode.ERROR))

    def close(self) -> None:
        self._exporter.hurry()
        self._provider.shutdown()


class _Patient(SpanExporter):
    def __init__(self, given: SpanExporter) -> None:
        self._given = given
        self._rests_until = self._silent_until = 0.0
        self._ends = float("inf")
        self._dropped = 0

    def hurry(self) -> None:
        self._ends = time.monotonic() + EXPORT_SECONDS

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        if not self._rests_until <= time.monotonic() < self._ends:
            self._dropped += len(spans)
            return SpanExportResult.FAILURE
        result = self._given.export(spans)
        if result is not SpanExportResult.SUCCESS:
            self._dropped += len(spans)
            self._rests_until = time.monotonic() + REST_SECONDS
            self._warn()
        return result

    def shutdown(self) -> None:
        self._given.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._given.force_flush(timeout_millis)

    def _warn(self) -> None:
        if time.monotonic() >= self._silent_until:
            self._silent_until = time.monotonic() + WARNING_SECONDS
            logger.warning("traces_not_exported", dropped=self._dropped)


def _address() -> str:
    return f"{settings.OTEL_EXPORTER_OTLP_ENDPOINT}/v1/traces"


def _context_of(parent: Parent) -> SpanContext:
    return SpanContext(parent.trace_id, parent.span_id, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))
