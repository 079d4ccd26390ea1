"""Structured logs: one JSON object a line, with who and what, without secrets.

The ids of request, task, organization and caller come from structlog's context, which django-structlog fills
for requests and carries into tasks. Everything passes the redaction, the logs of libraries included.
"""

from typing import Any

import orjson
import structlog
from structlog.types import EventDict, Processor, WrappedLogger

from apps.core import tracing
from apps.core.redaction import redact, redact_text

_KEPT = {"timestamp", "level", "logger"}


def redact_event(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    return {name: value if name in _KEPT else redact(value, name=name) for name, value in event.items()}


def name_trace(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Where what is logged is part of a trace that is kept."""
    span = tracing.here()
    if span is not None:
        event["trace_id"], event["span_id"] = span.trace_id, span.span_id
    return event


def _to_json(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    return orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


def _redact_line(_logger: WrappedLogger, _method: str, line: str) -> str:
    """The console shows tracebacks that its renderer writes after the event was redacted."""
    return redact_text(line)


_SHARED: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    name_trace,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.stdlib.PositionalArgumentsFormatter(),
    structlog.stdlib.ExtraAdder(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
)


def logging_settings(*, style: str, level: str) -> dict[str, Any]:
    """Django's LOGGING; configures structlog on the way, which every log call of ours goes through."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_SHARED,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    rendering: list[Processor]
    if style == "console":
        rendering = [redact_event, structlog.dev.ConsoleRenderer(), _redact_line]  # type: ignore[list-item]
    else:
        # The traceback becomes text first, so that the redaction reads it too. Frames' locals never appear.
        rendering = [structlog.processors.format_exc_info, redact_event, _to_json]
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "structured": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": list(_SHARED),
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
            }
        },
        "handlers": {
            "stdout": {"class": "logging.StreamHandler", "formatter": "structured", "stream": "ext://sys.stdout"}
        },
        "root": {"handlers": ["stdout"], "level": level},
        "loggers": {
            # One line a request is enough: ours, which has the ids.
            "uvicorn.access": {"level": "WARNING"},
            "django.server": {"handlers": [], "propagate": False},
            "django.request": {"level": "CRITICAL"},
        },
    }
