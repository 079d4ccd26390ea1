"""Flower behind the admin's own log-in. For superusers, and to look at only.

Nothing of the person's reaches Flower but what they ask for, and nothing of Flower's answer reaches them but what
is named here: no cookie and no credential crosses in either direction.
"""

from urllib.parse import quote

import structlog
from csp.constants import NONE
from csp.decorators import csp_replace
from django.conf import settings
from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.encoding import iri_to_uri
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from apps.accounts.acting import acting_user
from apps.operations import flower

logger = structlog.get_logger(__name__)

# Its table of tasks asks by POST, with more than some addresses hold; to be read all the same.
TABLE = "tasks/datatable"
MOST_QUERY_BYTES = 16 * 1024
ASKED_WITH = ("Accept", "If-None-Match", "If-Modified-Since", "X-Requested-With")
ANSWERED_WITH = ("Content-Type", "ETag", "Last-Modified")
# Its only inline script, which says that the table of workers is read again by itself. Another version may have
# another one: then that table stands still, and nothing else.
INLINE_SCRIPT = "'sha256-A0YIP5A+DKoseGAUTHRoMPDkKPK5cKzfYH3mjcCKtj8='"
STATIC_SECONDS = 3600


# It changes nothing, so nobody gains by having somebody else's browser ask.
@csrf_exempt
def flower_page(request: HttpRequest, rest: str = "") -> HttpResponse:
    if not acting_user(request).is_superuser or not settings.FLOWER_URL or ".." in rest.split("/"):
        raise Http404
    query = _query(request, rest)
    if query is None:
        words = _("Flower is to be looked at only. Use Celery's own commands to stop workers or revoke tasks.")
        return HttpResponse(words, status=405, content_type="text/plain", headers={"Allow": "GET, HEAD"})
    if len(query) > MOST_QUERY_BYTES:
        return HttpResponse(_("This address is too long."), status=414, content_type="text/plain")
    asked_with = {name: request.headers[name] for name in ASKED_WITH if name in request.headers}
    try:
        found = flower.ask(f"{flower.PREFIX}{quote(rest)}" + (f"?{query}" if query else ""), asked_with)
        return _passed_on(request, found, is_static=rest.startswith("static/"))
    except flower.Busy:
        words = _("Too many pages of Flower are being read at this moment. Try again.")
        return HttpResponse(words, status=503, content_type="text/plain", headers={"Retry-After": "5"})
    except flower.Away as away:
        logger.warning("flower_away", reason=str(away))
        return _away(request, str(away))


def _query(request: HttpRequest, rest: str) -> str | None:
    """None where it was asked in a way that could change something."""
    if request.method in {"GET", "HEAD"}:
        return str(iri_to_uri(request.META.get("QUERY_STRING", "")))
    return request.POST.urlencode() if request.method == "POST" and rest == TABLE else None


def _passed_on(request: HttpRequest, found: flower.Answer, *, is_static: bool) -> HttpResponse:
    if found.status in {401, 403}:
        raise flower.Away("it refuses FLOWER_BASIC_AUTH")
    if 300 <= found.status < 400 and found.status != 304:
        raise flower.Away(f"it is not at {flower.PREFIX}")
    answer = HttpResponse(found.content, status=found.status)
    del answer["Content-Type"]
    for name in ANSWERED_WITH:
        if name in found.headers:
            answer[name] = found.headers[name]
    answer["Cache-Control"] = f"private, max-age={STATIC_SECONDS}" if is_static else "no-store"
    dressed = csp_replace(_policy(request))(lambda _request: answer)(request)
    assert isinstance(dressed, HttpResponse)
    return dressed


def _policy(request: HttpRequest) -> dict[str, list[str]]:
    """Its pages reach its own addresses and nothing else: not the rest of the admin, either."""
    own = request.build_absolute_uri(flower.PREFIX)
    return {
        "default-src": [NONE],
        "base-uri": [NONE],
        "connect-src": [own],
        "font-src": [NONE],
        "form-action": [NONE],
        "frame-ancestors": [NONE],
        "img-src": [own, "data:"],
        "script-src": [f"{own}static/", INLINE_SCRIPT],
        "style-src": [f"{own}static/", "'unsafe-inline'"],
    }


def _away(request: HttpRequest, reason: str) -> HttpResponse:
    context = {**admin.site.each_context(request), "title": "Flower", "reason": reason}
    return TemplateResponse(request, "operations/admin/flower_away.html", context, status=502)
