"""Sentry's SDK, told to notice errors and missed periodic tasks and nothing else. Imported only where wanted."""

import logging
import re
import sys
from collections.abc import Sequence
from typing import Any

import sentry_sdk
from django.conf import settings
from sentry_sdk.integrations import django as of_django
from sentry_sdk.integrations.atexit import AtexitIntegration
from sentry_sdk.integrations.celery import CeleryIntegration
from sentry_sdk.integrations.dedupe import DedupeIntegration
from sentry_sdk.integrations.excepthook import ExcepthookIntegration
from sentry_sdk.integrations.logging import LoggingIntegration
from sentry_sdk.integrations.threading import ThreadingIntegration

from apps.core.reporting.scrubbing import scrubbed, scrubbed_breadcrumb

SHUTDOWN_SECONDS = 2.0
# They repeat what the integration of Celery has reported by then, in a form that is not recognized as the same.
_REPEATED = ("celery.app.trace", "celery.worker.request", "django_structlog.celery.receivers")


def set_up(unwatched: Sequence[str]) -> None:
    # It would look at every statement that goes to the database, for breadcrumbs that we do not keep.
    setattr(of_django, "install_sql_hook", lambda: None)  # noqa: B010
    given: dict[str, Any] = {
        "before_send": scrubbed,
        "before_breadcrumb": scrubbed_breadcrumb,
    }
    sentry_sdk.init(
        dsn=settings.SENTRY_DSN,
        environment=settings.SENTRY_ENVIRONMENT,
        release=settings.RELEASE or None,
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
        max_breadcrumbs=30,
        # Traces are OpenTelemetry's; nobody whom we call is told of one.
        traces_sample_rate=None,
        trace_propagation_targets=[],
        auto_session_tracking=False,
        send_client_reports=False,
        shutdown_timeout=SHUTDOWN_SECONDS,
        default_integrations=False,
        auto_enabling_integrations=False,
        integrations=[
            of_django.DjangoIntegration(signals_spans=False),
            CeleryIntegration(
                propagate_traces=False,
                monitor_beat_tasks=True,
                exclude_beat_tasks=[f"^{re.escape(name)}$" for name in unwatched],
            ),
            LoggingIntegration(level=logging.WARNING, event_level=None, sentry_logs_level=None),
            AtexitIntegration(callback=lambda _pending, _timeout: None),
            DedupeIntegration(),
            ExcepthookIntegration(),
            ThreadingIntegration(),
        ],
        **given,
    )
    logging.getLogger().addHandler(_Reporter(logging.ERROR))


class _Reporter(logging.Handler):
    """Lines of errors. Sentry's own would not find the exception where structlog has it."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.startswith(("sentry_sdk", *_REPEATED)):
            return
        said: object = record.msg
        error = record.exc_info or (said.get("exc_info") if isinstance(said, dict) else None)
        if error is True:
            error = sys.exc_info()
        if isinstance(error, tuple):
            error = error[1]
        with sentry_sdk.new_scope() as scope:
            scope.set_level("error")
            event: dict[str, Any] = {"level": "error", "logger": record.name}
            hint: dict[str, Any] = {"log_record": record}
            if isinstance(error, BaseException):
                told, known = sentry_sdk.utils.event_from_exception(
                    error,
                    client_options=sentry_sdk.get_client().options,
                    mechanism={"type": "logging", "handled": True},
                )
                event, hint = {**told, **event}, {**known, **hint}
            sentry_sdk.capture_event(event, hint=hint)  # type: ignore[arg-type]
