"""The ASGI application: what the web server runs."""

import os

import django
from django.conf import settings
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings.production")
django.setup(set_prefix=False)

from channels.routing import ProtocolTypeRouter  # noqa: E402 - Django must be set up first

from apps.core import reporting, tracing  # noqa: E402
from apps.core.asgi.body_limit import BodyLimit  # noqa: E402
from apps.core.asgi.static import with_static_files  # noqa: E402
from apps.core.asgi.threads import ThreadedDjango  # noqa: E402
from apps.core.collector import spare_what_is_loaded  # noqa: E402
from apps.files.asgi import with_files  # noqa: E402
from apps.messaging.engine import publisher  # noqa: E402
from apps.realtime.websocket import application as websockets  # noqa: E402

_django = ThreadedDjango(threads=settings.WEB_THREADS, most_waiting=settings.WEB_MOST_WAITING)

publisher.enable()
tracing.begin("web")

_limited = BodyLimit(
    _django,
    settings.MAX_BODY_BYTES,
    {
        "/v1/messages/batch": settings.MAX_BATCH_BYTES,
        "/v1/invoices/batch": settings.MAX_BATCH_BYTES,
        # The form in the admin; larger files are uploaded first.
        "/admin/billing/invoiceimport/add/": settings.MAX_BATCH_BYTES,
    },
)
# Files pass by the limit: their bodies are never kept.
_http = reporting.isolated(with_static_files(with_files(_limited)))

application = ProtocolTypeRouter({"http": _http, "websocket": websockets})

# The first request would load them.
assert get_resolver().url_patterns
spare_what_is_loaded()
