"""Static files, answered before Django is asked."""

from typing import Any, cast
from wsgiref.headers import Headers

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from servestatic import ServeStaticASGI

from apps.core.asgi import Application


def with_static_files(application: Application) -> Application:
    """Those that `collectstatic` gathered; while developing, from where they lie."""
    files = ServeStaticASGI(
        cast("Any", application),
        autorefresh=settings.DEBUG,
        max_age=0 if settings.DEBUG else 60,
        allow_all_origins=False,
        add_headers_function=_add_headers,
    )
    if settings.STATIC_FILES_ARE_COLLECTED:
        files.add_files(settings.STATIC_ROOT, prefix=settings.STATIC_URL)
    else:
        for finder in get_finders():
            for storage in cast("Any", finder).storages.values():
                below = f"{storage.prefix}/" if getattr(storage, "prefix", "") else ""
                files.add_files(storage.location, prefix=settings.STATIC_URL + below)
    return cast("Application", files)


def _add_headers(headers: Headers, _path: str, _url: str) -> None:
    headers["X-Content-Type-Options"] = "nosniff"
