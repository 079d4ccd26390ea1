"""What a process counts, as Prometheus reads it."""

import hmac

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.multiprocess import MultiProcessCollector

from apps.core.metrics import shared
from apps.core.metrics.declared import REGISTRY, build_all
from apps.core.metrics.process import tell_version
from apps.core.side_door import Page

PATH = "/metrics"
_SCHEME = "Bearer "


def text() -> bytes:
    """Of this process; of a worker, with its children."""
    tell_version()
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    folder = shared.folder()
    if folder is None:
        build_all()
        return generate_latest(REGISTRY) + generate_latest(registry)
    MultiProcessCollector(registry, path=str(folder))  # type: ignore[no-untyped-call]
    return generate_latest(registry)


def page() -> Page:
    return Page(text(), content_type=CONTENT_TYPE_PLAIN_0_0_4)


@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """On the address that everybody reaches: to whoever has the token. To others there is no such page."""
    given = request.headers.get("Authorization", "")
    wanted = settings.METRICS_TOKEN
    is_known = hmac.compare_digest(given.encode(), f"{_SCHEME}{wanted}".encode())
    if not wanted or not is_known or request.method not in {"GET", "HEAD"}:
        return HttpResponse("There is nothing here.\n", status=404, content_type="text/plain; charset=utf-8")
    return HttpResponse(text(), content_type=CONTENT_TYPE_PLAIN_0_0_4)
