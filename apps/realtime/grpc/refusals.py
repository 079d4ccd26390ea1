"""How a call is refused: a status of gRPC, and in the trailing metadata what REST says of the same error."""

import json
from dataclasses import dataclass, field
from http import HTTPStatus
from math import ceil
from typing import Any

import grpc
import structlog
from django.db import InterfaceError, OperationalError
from rest_framework.exceptions import APIException

from apps.core.api.problems import RETRY_SECONDS, ProblemFormatter, Unavailable

CODE, ERRORS, RETRY_AFTER, REQUEST_ID = "recado-code", "recado-errors", "retry-after", "request-id"

_STATUSES = {
    HTTPStatus.UNAUTHORIZED: grpc.StatusCode.UNAUTHENTICATED,
    HTTPStatus.FORBIDDEN: grpc.StatusCode.PERMISSION_DENIED,
    HTTPStatus.NOT_FOUND: grpc.StatusCode.NOT_FOUND,
    HTTPStatus.CONFLICT: grpc.StatusCode.FAILED_PRECONDITION,
    HTTPStatus.TOO_MANY_REQUESTS: grpc.StatusCode.RESOURCE_EXHAUSTED,
    HTTPStatus.SERVICE_UNAVAILABLE: grpc.StatusCode.UNAVAILABLE,
    HTTPStatus.INTERNAL_SERVER_ERROR: grpc.StatusCode.INTERNAL,
}
_NO_REQUEST: Any = {}
# A field that names something which is not there for this organization, and nothing else is wrong.
_UNKNOWN = frozenset({"unknown_account", "unknown_conversation"})


@dataclass
class Refusal(Exception):
    status: grpc.StatusCode
    code: str
    detail: str
    errors: list[dict[str, str]] = field(default_factory=list)
    wait: float | None = None

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        """Only visible ASCII may travel there, which is what the standard library's JSON is made of."""
        told = [(CODE, self.code)]
        if self.errors:
            told.append((ERRORS, json.dumps(self.errors)))
        if self.wait is not None:
            told.append((RETRY_AFTER, str(ceil(self.wait))))
        request_id = structlog.contextvars.get_contextvars().get("request_id")
        return (*told, (REQUEST_ID, str(request_id))) if request_id else tuple(told)


def refusal_of(error: Exception) -> Refusal:
    if isinstance(error, Refusal):
        return error
    if isinstance(error, OperationalError | InterfaceError):
        error = Unavailable(wait=RETRY_SECONDS)
    if not isinstance(error, APIException):
        error = APIException()
    problem = ProblemFormatter(error, _NO_REQUEST, error).run()
    return Refusal(
        _status_of(problem["status"], problem["errors"]),
        problem["code"],
        problem["detail"],
        problem["errors"],
        getattr(error, "wait", None),
    )


def _status_of(status: int, errors: list[dict[str, str]]) -> grpc.StatusCode:
    if errors and {error["code"] for error in errors} <= _UNKNOWN:
        return grpc.StatusCode.NOT_FOUND
    return _STATUSES.get(HTTPStatus(status), grpc.StatusCode.INVALID_ARGUMENT)
