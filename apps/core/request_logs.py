"""What each line about a request carries, beyond what django-structlog puts there."""

from typing import Any

import structlog
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django_structlog.signals import (
    bind_extra_request_finished_metadata,
    bind_extra_request_metadata,
    update_failure_response,
)


@receiver(bind_extra_request_metadata)
def remember_where_from(request: HttpRequest, **_kwargs: Any) -> None:
    structlog.contextvars.bind_contextvars(ip=request.META.get("REMOTE_ADDR"))


@receiver(bind_extra_request_finished_metadata)
@receiver(update_failure_response)
def name_request(response: HttpResponse, **_kwargs: Any) -> None:
    """So that whoever got the answer can name the request to whoever reads the log."""
    response["X-Request-Id"] = structlog.contextvars.get_contextvars().get("request_id", "")
