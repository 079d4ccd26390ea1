"""What may leave for Sentry: where it broke, never of whom or of what.

Nobody can tell the words of a person from others in the text of an exception, so only those exceptions keep theirs
that talk of machines. The log has all of it, under the same ids, with what is secret hidden.
"""

from logging import LogRecord
from typing import Any

import structlog

from apps.core import tracing
from apps.core.redaction import HIDDEN, redact, redact_text

# Of an event. Requests, users, and whatever else there is or will be, stay here.
_KEPT = frozenset(
    {
        "breadcrumbs", "check_in_id", "contexts", "duration", "environment", "event_id", "exception", "extra",
        "fingerprint", "level", "logentry", "logger", "monitor_config", "monitor_slug", "platform",
        "release", "sdk", "server_name", "status", "tags", "timestamp", "transaction", "type",
    }
)  # fmt: skip
_CONTEXTS = frozenset({"runtime", "trace"})
_TALK_OF_MACHINES = frozenset(
    {
        "AttributeError", "BrokenPipeError", "ConnectionError", "ConnectionRefusedError", "ConnectionResetError",
        "ImportError", "ImproperlyConfigured", "InterfaceError", "ModuleNotFoundError", "NotImplementedError",
        "OperationalError", "PoolTimeout", "TimeoutError",
    }
)  # fmt: skip
# Where to look further.
_TAGS = ("request_id", "task_id", "organization_id", "trace_id")


def scrubbed(event: dict[str, Any], hint: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in event.items() if name in _KEPT}
    for exception in kept.get("exception", {}).get("values") or ():
        _scrub_exception(exception)
    record = hint.get("log_record")
    # Of what is reported without a line in the log, there are no words of ours.
    kept.pop("logentry", None)
    kept.pop("extra", None)
    if isinstance(record, LogRecord):
        kept["logentry"] = {"message": line_of(record)}
        kept["extra"] = _details_of(record)
    kept["contexts"] = {name: value for name, value in event.get("contexts", {}).items() if name in _CONTEXTS}
    kept["tags"] = redact(event.get("tags") or {}) | _tags()
    span = tracing.here()
    if span is not None:
        kept["contexts"]["trace"] = {"trace_id": span.trace_id, "span_id": span.span_id}
    return kept


def scrubbed_breadcrumb(crumb: dict[str, Any], hint: dict[str, Any]) -> dict[str, Any] | None:
    """Lines of the log, without their details; nothing else that was noted on the way."""
    record = hint.get("log_record")
    if not isinstance(record, LogRecord):
        return None
    kept = {name: crumb[name] for name in ("category", "level", "timestamp", "type") if name in crumb}
    return kept | {"message": line_of(record)}


def line_of(record: LogRecord) -> str:
    """What happened, in the words of the code: never filled in."""
    said: object = record.msg
    return redact_text(str(said.get("event", "")) if isinstance(said, dict) else str(said))


def _details_of(record: LogRecord) -> dict[str, Any]:
    said: object = record.msg
    if not isinstance(said, dict):
        return {}
    names = said.keys() - {"event", "exc_info", "exception", "error", "timestamp", "level", "logger"}
    simple = {name: said[name] for name in names if isinstance(said[name], bool | int | float | str)}
    return {name: redact(value, name=name) for name, value in simple.items()}


def _scrub_exception(exception: dict[str, Any]) -> None:
    says = exception.get("value")
    if says:
        exception["value"] = redact_text(str(says)) if exception.get("type") in _TALK_OF_MACHINES else HIDDEN
    for frame in (exception.get("stacktrace") or {}).get("frames") or ():
        frame.pop("vars", None)


def _tags() -> dict[str, str]:
    known = structlog.contextvars.get_contextvars()
    return {name: redact_text(str(known[name])) for name in _TAGS if known.get(name)}
