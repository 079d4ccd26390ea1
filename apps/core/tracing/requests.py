"""The span of a request: who serves it, and how it ended."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from apps.core import tracing

_METHODS = {"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}


class TracedRequests:
    """Middleware, in front of the one that logs, so that its lines carry the trace."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not tracing.is_on():
            return self._get_response(request)
        method = request.method if request.method in _METHODS else "_OTHER"
        with tracing.root(str(method), kind="server", caller=request.headers.get("traceparent")) as span:
            response = self._get_response(request)
            if span is not None:
                _describe(span, str(method), request, response)
        return response


def _describe(span: tracing.Span, method: str, request: HttpRequest, response: HttpResponse) -> None:
    """By its route, for an address may hold anything."""
    if request.resolver_match is not None:
        route = f"/{request.resolver_match.route.lstrip('/')}"
        span.rename(f"{method} {route}")
        span.note({"http.route": route})
    span.note(
        {
            "http.request.method": method,
            "http.response.status_code": response.status_code,
            "recado.request_id": response.headers.get("X-Request-Id", ""),
        }
    )
    if response.status_code >= 500:
        span.fail(str(response.status_code))
