"""HTTP requests by route: by the template that the address matched, never by the address itself."""

import time
from collections.abc import Callable
from functools import lru_cache

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from apps.core.metrics.declared import Counter, Timing
from apps.core.metrics.labels import METHOD, ROUTE, STATUS

UNMATCHED = "unmatched"
# Set on an answer that no client gets, such as the first half of one: the request is counted when it has ended.
UNCOUNTED = "recado_uncounted"

REQUESTS = Counter("recado_http_requests_total", "HTTP requests that were answered.", ROUTE, METHOD, STATUS)
SECONDS = Timing(
    "recado_http_request_seconds",
    "Time from when a thread took an HTTP request on to its answer.",
    ROUTE,
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0),
)


class CountRequests:
    """Middleware, behind the probes: those are not counted."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        began = time.perf_counter()
        response = self._get_response(request)
        if not hasattr(response, UNCOUNTED):
            match = request.resolver_match
            route = UNMATCHED if match is None else _readable(match.route)
            REQUESTS.add(route, request.method or "", f"{response.status_code // 100}xx")
            SECONDS.add(route, seconds=[time.perf_counter() - began])
        return response


@lru_cache(maxsize=ROUTE.most)
def _readable(route: str) -> str:
    """Pages that a package names by a regular expression are told without its signs."""
    return "/" + route.replace("^", "").replace("$", "").replace("\\Z", "").replace("\\", "")
