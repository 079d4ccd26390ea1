"""Where providers call. The signature is the only credential, and whoever calls is answered in milliseconds.

A plain view: it is not limited as callers are, for providers come fast, and reads bytes, for those are signed.
"""

from dataclasses import dataclass

import structlog
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from apps.channels.connector import BadCallback
from apps.channels.registry import NAMES
from apps.core.api.problems import RETRY_SECONDS, problem_response
from apps.messaging.engine import receive

logger = structlog.get_logger(__name__)

MOST_BYTES = 1024 * 1024


@csrf_exempt
def hook(request: HttpRequest, connector: str) -> HttpResponse:
    """Stored before it is answered; worked on afterwards."""
    if connector not in NAMES:
        return problem_response(404, "not_found", _("There is no such connector."))
    if request.method != "POST":
        refusal = problem_response(405, "method_not_allowed", _("Providers call this address with POST."))
        refusal["Allow"] = "POST"
        return refusal
    body = request.read(MOST_BYTES + 1)
    try:
        refused = _store(connector, request, body)
    except (OperationalError, InterfaceError):
        logger.exception("callback_not_stored", connector=connector)
        unavailable = problem_response(503, "unavailable", _("It cannot be stored at the moment. Try again."))
        unavailable["Retry-After"] = str(RETRY_SECONDS)
        return unavailable
    if refused is None:
        return JsonResponse({})
    # The log counts them; what they said stays out of it.
    logger.warning("callback_refused", connector=connector, reason=refused.code, size=len(body))
    return problem_response(refused.status, refused.code, refused.detail)


@dataclass(frozen=True, slots=True)
class _Refused:
    status: int
    code: str
    detail: str


def _store(connector: str, request: HttpRequest, body: bytes) -> _Refused | None:
    if len(body) > MOST_BYTES:
        return _Refused(
            413, "body_too_large", _("A callback is at most %(most)d bytes long.") % {"most": MOST_BYTES}
        )
    try:
        is_ours = receive.store(connector, request.headers, body)
    except BadCallback as bad:
        detail = _("This is not in the shape that the provider documents: %(reason)s.") % {"reason": bad}
        return _Refused(400, "bad_callback", detail)
    if not is_ours:
        return _Refused(403, "bad_signature", _("No account here has the secret that signed this."))
    return None
