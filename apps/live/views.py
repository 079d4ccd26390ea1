"""The live page: conversations, and what becomes of their messages as it happens."""

from typing import Any
from urllib.parse import urlsplit

from allauth.mfa.utils import is_mfa_enabled
from csp.constants import SELF
from csp.decorators import csp_replace
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from apps.accounts.acting import acting_user, memberships_of
from apps.channels.content import MediaKind
from apps.channels.registry import NAMES, connector_class
from apps.files import thumbnails
from apps.live.faults import faults
from apps.live.texts import addresses, texts
from apps.messaging.statuses import MAY_FOLLOW, EventKind, Status

SOCKET = "/ws/status"
# Who plays the provider of each connector in the demo.
SIMULATED = {
    "whatsapp_cloud": "whatsapp",
    "instagram": "instagram",
    "telegram": "telegram",
    "evolution": "evolution",
    "sms": "twilio",
}
STYLES = [
    f"live/{name}.css" for name in ("tokens", "frame", "conversations", "thread", "files", "activity", "simulate")
]
# Places held for conversations while they are read.
SKELETONS = 8


@never_cache
@require_safe
@login_required
def live_page(request: HttpRequest) -> HttpResponse:
    if settings.ADMIN_REQUIRES_MFA and not is_mfa_enabled(request.user):
        # The same messages are in the admin, which asks for it too.
        messages.warning(request, _("Protect your account with a second factor before you go on."))
        return redirect("mfa_activate_totp")
    if not memberships_of(acting_user(request)).exists():
        return render(request, "live/no_membership.html", status=403)
    simulators = _origin_of(settings.SIMULATORS_URL)
    # Where files are brought and fetched.
    connected = [*settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]["connect-src"]]
    policy = {
        # Nothing here needs what the admin does: no expression is evaluated, no style is written into the markup.
        "script-src": [SELF],
        "style-src": [SELF],
        "media-src": connected,
        # Browsers count a WebSocket of the same origin to SELF.
        "connect-src": [*connected, simulators] if simulators else connected,
    }
    page = csp_replace(policy)(lambda request: render(request, "live/page.html", _context(request)))
    answer = page(request)
    assert isinstance(answer, HttpResponse)
    return answer


def _context(request: HttpRequest) -> dict[str, Any]:
    return {
        "config": {
            "language": get_language(),
            "csrf": get_token(request),
            "urls": {
                "token": reverse("browser_token"),
                "page": reverse("live"),
                "log_in": f"{reverse(settings.LOGIN_URL)}?next={reverse('live')}",
                "socket": SOCKET,
                "client": static("recado/chat-status-client.js"),
                "uploads": static("recado/uploads.js"),
                "simulators": settings.SIMULATORS_URL.rstrip("/"),
            },
            "thumbnails": {"types": sorted(thumbnails.FORMATS), "most_bytes": thumbnails.LARGEST_BYTES},
            "connectors": {name: _connector(name) for name in NAMES},
            "statuses": {status.value: str(status.label) for status in Status},
            "kinds": {kind.value: str(kind.label) for kind in EventKind},
            "may_follow": {status.value: sorted(before) for status, before in MAY_FOLLOW.items()},
            "texts": texts(),
        },
        "styles": STYLES,
        "skeletons": range(SKELETONS),
        "has_simulators": bool(settings.SIMULATORS_URL),
        "faults": faults(),
    }


def _connector(name: str) -> dict[str, Any]:
    known = connector_class(name)
    return {
        "label": str(known.label),
        "address": known.capabilities.address.value,
        "longest_text": known.capabilities.longest_text,
        "text_unit": known.capabilities.text_unit,
        "address_means": addresses()[known.capabilities.address],
        "has_templates": known.capabilities.has_templates,
        "media": {
            kind.value: known.capabilities.media[kind].longest_caption
            for kind in MediaKind
            if kind in known.capabilities.media
        },
        "largest": {kind.value: rule.most_bytes for kind, rule in known.capabilities.media.items()},
        "simulator": SIMULATED.get(name, "") if known.capabilities.hears_replies else "",
    }


def _origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""
