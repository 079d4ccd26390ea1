"""The ASGI application: what the web server runs."""

import os

from django.conf import settings
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings.production")

_django = get_asgi_application()

from apps.core.body_limit import BodyLimit  # noqa: E402 - Django must be set up first

application = BodyLimit(_django, settings.MAX_BODY_BYTES)  # type: ignore[arg-type]
