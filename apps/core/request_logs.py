"""What each line about a request carries, beyond what django-structlog puts there."""

from ipaddress import ip_address
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
    structlog.contextvars.bind_contextvars(ip=_address(request.META.get("REMOTE_ADDR", "")))


def _address(text: str) -> str | None:
    """Behind a proxy it comes from a header, which may hold anything."""
    try:
        return str(ip_address(text))
    except ValueError:
        return None


@receiver(bind_extra_request_finished_metadata)
@receiver(update_failure_response)
def name_request(response: HttpResponse, **_kwargs: Any) -> None:
    """So that whoever got the answer can name the request to whoever reads the log."""
    response["X-Request-Id"] = structlog.contextvars.get_contextvars().get("request_id", "")
