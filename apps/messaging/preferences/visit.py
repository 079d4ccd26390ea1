"""Who is at the page: known by their link alone, which no cache, search engine or other site learns."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from math import ceil
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import translation
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from apps.accounts.throttling import caller_from, take_one
from apps.messaging import contacts
from apps.messaging.consent.links import read_token
from apps.messaging.models import Contact

LANGUAGE = "lang"


@dataclass(frozen=True, slots=True)
class Visit:
    request: HttpRequest
    token: str
    contact: Contact
    # Of the message that the link came with.
    category: str

    def render(self, template: str, status: int = 200, **context: Any) -> HttpResponse:
        known = {"contact": self.contact, "organization": self.contact.organization, "token": self.token}
        return render(self.request, f"messaging/preferences/{template}", known | context, status=status)

    def back_to_page(self, done: str) -> HttpResponse:
        """`done` is what the page says then."""
        chosen = self.request.GET.get(LANGUAGE)
        query = {"done": done} | ({LANGUAGE: chosen} if chosen else {})
        return HttpResponseRedirect(f"{reverse('preferences:page', args=[self.token])}?{urlencode(query)}")


def by_link(view: Callable[[Visit], HttpResponse]) -> Callable[[HttpRequest, str], HttpResponse]:
    """The view of whoever has the link, in their language."""

    @never_cache
    @wraps(view)
    def visited(request: HttpRequest, token: str) -> HttpResponse:
        grant = take_one(caller_from(request.META.get("REMOTE_ADDR", "")))
        if grant is not None and not grant.granted:
            advice = _("Wait a little, then open the link again.")
            response = _refuse(request, 429, _("Too many attempts"), advice)
            response["Retry-After"] = str(ceil(grant.retry_after))
        elif (visit := _visit(request, token)) is None:
            advice = _("Open the whole link, or take the one of a newer message: they do not work for ever.")
            response = _refuse(request, 404, _("This link does not work"), advice)
        else:
            with translation.override(_language(visit)):
                response = view(visit)
                response["Content-Language"] = translation.get_language() or ""
        response["X-Robots-Tag"] = "noindex, nofollow"
        # Nothing to other sites. With no-referrer, browsers would send the form without saying where it is from,
        # and the protection against forged requests would refuse it.
        response["Referrer-Policy"] = "same-origin"
        return response

    return visited


def _visit(request: HttpRequest, token: str) -> Visit | None:
    read = read_token(token)
    if read is None:
        return None
    contact_id, category = read
    contact = contacts.now_known_as(contact_id)
    return None if contact is None else Visit(request, token, contact, category)


def _language(visit: Visit) -> str:
    """What they choose here, what we know of them, what their browser asks for."""
    for wanted in (visit.request.GET.get(LANGUAGE, ""), visit.contact.language):
        try:
            return translation.get_supported_language_variant(wanted.lower())
        except LookupError:
            continue
    return translation.get_language() or settings.LANGUAGE_CODE


def _refuse(request: HttpRequest, status: int, title: str, advice: str) -> HttpResponse:
    context = {"title": title, "advice": advice}
    return render(request, "messaging/preferences/refused.html", context, status=status)
