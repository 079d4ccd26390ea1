"""Where providers call. The signature is the only credential, and whoever calls is answered in milliseconds.

A plain view: it is not limited as callers are, for providers come fast, and reads bytes, for those are signed.
"""

from dataclasses import dataclass
from uuid import UUID

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from apps.channels import accounts
from apps.channels.callback import BadCallback, Callback
from apps.channels.reachability import PROBE_HEADER, answer_to
from apps.channels.registry import NAMES, connector
from apps.core.api.problems import RETRY_SECONDS, problem_response
from apps.messaging.engine import counted
from apps.messaging.engine.store import Stored, store

logger = structlog.get_logger(__name__)

MOST_BYTES = 1024 * 1024


@csrf_exempt
def hook(request: HttpRequest, connector: str, account_id: UUID | None = None) -> HttpResponse:
    """Stored before it is answered; worked on afterwards."""
    if connector not in NAMES:
        return problem_response(404, "not_found", _("There is no such connector."))
    if request.method == "GET":
        return _answer_challenge(request, connector)
    if request.method != "POST":
        refusal = problem_response(405, "method_not_allowed", _("Providers call this address with POST."))
        refusal["Allow"] = "GET, POST"
        return refusal
    if (proof := answer_to(request.headers.get(PROBE_HEADER, ""))) is not None:
        return HttpResponse(proof, content_type="text/plain")
    return _take(request, connector, account_id)


def _take(request: HttpRequest, connector: str, account_id: UUID | None) -> HttpResponse:
    body = request.read(MOST_BYTES + 1)
    try:
        answer = _store(connector, account_id, request, body)
    except (OperationalError, InterfaceError):
        logger.exception("callback_not_stored", connector=connector)
        unavailable = problem_response(503, "unavailable", _("It cannot be stored at the moment. Try again."))
        unavailable["Retry-After"] = str(RETRY_SECONDS)
        return unavailable
    counted.callback(connector, is_accepted=isinstance(answer, bytes))
    if isinstance(answer, bytes):
        # Usually empty: some providers take what stands in an answer for something to send.
        return HttpResponse(answer, content_type="application/json" if answer else "text/plain")
    # The log counts them; what they said stays out of it.
    logger.warning("callback_refused", connector=connector, reason=answer.code, size=len(body))
    return problem_response(answer.status, answer.code, answer.detail)


@dataclass(frozen=True, slots=True)
class _Refused:
    status: int
    code: str
    detail: str


def _store(name: str, account_id: UUID | None, request: HttpRequest, body: bytes) -> bytes | _Refused:
    """What the provider is answered."""
    if len(body) > MOST_BYTES:
        return _Refused(
            413, "body_too_large", _("A callback is at most %(most)d bytes long.") % {"most": MOST_BYTES}
        )
    # As the provider knows our address, whatever proxies stand before us.
    url = f"{settings.PUBLIC_URL}{request.get_full_path()}"
    callback = Callback(url, request.headers, body)
    try:
        stored = store(name, callback, account_id)
    except BadCallback as bad:
        detail = _("This is not in the shape that the provider documents: %(reason)s.") % {"reason": bad}
        return _Refused(400, "bad_callback", detail)
    if stored is Stored.NOT_OURS:
        return _Refused(403, "bad_signature", _("No account here has the secret that signed this."))
    return connector(name).answer_to(callback)


def _answer_challenge(request: HttpRequest, connector: str) -> HttpResponse:
    """A provider asks whether this address is ours, before it calls."""
    answer = accounts.answer_to_challenge(connector, request.GET.dict())
    if answer is None:
        logger.warning("challenge_refused", connector=connector)
        return problem_response(403, "bad_challenge", _("No account here has this verify token."))
    return HttpResponse(answer, content_type="text/plain; charset=utf-8")
