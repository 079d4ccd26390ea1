"""Where links lead that people find in their messages."""

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from apps.files.files import link
from apps.files.models import File
from apps.files.sent_links import LinkExpired, read_token
from apps.files.stores.store import BadLink


@never_cache
@require_safe
def sent_file(request: HttpRequest, token: str) -> HttpResponseBase:
    """On to where the file lies, by a link that is good for minutes."""
    response = _led_to(request, token)
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response


def _led_to(request: HttpRequest, token: str) -> HttpResponse:
    try:
        file = File.across_organizations.filter(pk=read_token(token)).first()
    except LinkExpired:
        advice = _("Links to files do not work for ever. Ask whoever sent it to you for the file.")
        return _refuse(request, 410, _("This link has expired"), advice)
    except BadLink:
        advice = _("Open the whole link, as it stands in your message.")
        return _refuse(request, 404, _("This link does not work"), advice)
    if file is None:
        advice = _("It was removed after it was sent to you. Ask whoever sent it to you for the file.")
        return _refuse(request, 410, _("This file is gone"), advice)
    return HttpResponseRedirect(link(file, inline=True).url)


def _refuse(request: HttpRequest, status: int, title: str, advice: str) -> HttpResponse:
    return render(request, "files/refused.html", {"title": title, "advice": advice}, status=status)
