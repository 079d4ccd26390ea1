"""Every error of the API is an RFC 9457 problem: `application/problem+json` with a stable `code`.

    {"type": "about:blank", "title": "Bad Request", "status": 400, "code": "invalid",
     "detail": "…", "errors": [{"pointer": "/name", "code": "required", "detail": "…"}], "request_id": "…"}

`code` and `pointer` are for programs and never change; `title` and `detail` are for people and are translated.
"""

from http import HTTPStatus
from math import ceil
from typing import Any

import structlog
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_standardized_errors.formatter import ExceptionFormatter
from drf_standardized_errors.handler import ExceptionHandler
from drf_standardized_errors.types import ErrorResponse
from rest_framework.exceptions import APIException, ErrorDetail, Throttled, ValidationError
from rest_framework.response import Response

from apps.core.api.json import FastJSONRenderer

CONTENT_TYPE = "application/problem+json"
RETRY_SECONDS = 5


class Problem(APIException):
    """An error with a status, a code and a sentence that says what to do; subclasses give the defaults."""

    status_code: int = HTTPStatus.BAD_REQUEST
    default_code = "bad_request"
    default_detail = gettext_lazy("The request cannot be carried out.")

    def __init__(self, detail: str | None = None, *, wait: float | None = None, **extra: Any) -> None:
        super().__init__(detail)
        self.wait = None if wait is None else ceil(wait)
        self.extra = extra  # further members of the problem document


class Conflict(Problem):
    status_code = HTTPStatus.CONFLICT
    default_code = "conflict"
    default_detail = gettext_lazy("The resource is not in a state that allows this.")


class Unprocessable(Problem):
    status_code = HTTPStatus.UNPROCESSABLE_ENTITY
    default_code = "unprocessable"


class TooManyRequests(Problem):
    status_code = HTTPStatus.TOO_MANY_REQUESTS
    default_code = "too_many_requests"
    default_detail = gettext_lazy("Too many requests. Try again after the number of seconds in Retry-After.")


def document(
    status: int, code: str, detail: str, errors: list[dict[str, str]] | None = None, **extra: Any
) -> dict[str, Any]:
    return {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
        "errors": errors or [],
        "request_id": structlog.contextvars.get_contextvars().get("request_id", ""),
        **extra,
    }


class ProblemFormatter(ExceptionFormatter):
    def format_error_response(self, error_response: ErrorResponse) -> dict[str, Any]:
        status = int(self.exc.status_code)
        extra = self.exc.extra if isinstance(self.exc, Problem) else {}
        if isinstance(self.exc, ValidationError):
            errors = [
                {"pointer": _pointer(error.attr), "code": error.code, "detail": error.detail}
                for error in error_response.errors
            ]
            return document(status, "invalid", _("Some fields need correction; see errors."), errors, **extra)
        if status == HTTPStatus.INTERNAL_SERVER_ERROR:
            detail = _("Something failed on our side. Tell your administrator the request_id.")
            return document(status, "server_error", detail, **extra)
        first = error_response.errors[0]
        return document(status, first.code, first.detail, **extra)


def _pointer(attr: str | None) -> str:
    """A JSON pointer into the body; "" is the whole of it."""
    return "" if attr in {None, "", "non_field_errors"} else f"/{attr}".removesuffix("/non_field_errors")


class Unavailable(Problem):
    status_code = HTTPStatus.SERVICE_UNAVAILABLE
    default_code = "unavailable"
    default_detail = gettext_lazy("The database cannot be reached at the moment. Try again.")


class ProblemHandler(ExceptionHandler):
    def convert_known_exceptions(self, exc: Exception) -> Exception:
        if isinstance(exc, Throttled):
            return TooManyRequests(wait=getattr(exc, "wait", None))
        if isinstance(exc, OperationalError | InterfaceError):
            return Unavailable(wait=RETRY_SECONDS)
        known: Exception = super().convert_known_exceptions(exc)
        return known

    def get_response(self, exc: APIException, data: dict[str, Any]) -> Response:
        return Response(data, status=exc.status_code, headers=self.get_headers(exc), content_type=CONTENT_TYPE)


def problem_response(status: int, code: str, detail: str) -> HttpResponse:
    """For errors met outside of any API view."""
    body = FastJSONRenderer().render(document(status, code, detail))
    return HttpResponse(body, status=status, content_type=CONTENT_TYPE)


def is_api(request: HttpRequest) -> bool:
    return request.path.startswith("/v1/")


def field_error(field: str, code: str, detail: str) -> ValidationError:
    return ValidationError({field: [ErrorDetail(detail, code=code)]})
