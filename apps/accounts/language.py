"""The language each person chose, kept with their account and used wherever they log in."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import translation
from django.views.decorators.http import require_POST
from django.views.i18n import LANGUAGE_QUERY_PARAMETER, set_language

from apps.accounts.models import User


class UserLanguageMiddleware:
    """A person's own choice wins over what their browser asks for. The session is read only if there is one."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.session.session_key and isinstance(request.user, User) and request.user.language:
            translation.activate(request.user.language)
            request.LANGUAGE_CODE = request.user.language
        return self._get_response(request)


@require_POST
def choose_language(request: HttpRequest) -> HttpResponseBase:
    """The menu of languages: Django's own view sets a cookie; for somebody logged in it is also kept."""
    language = request.POST.get(LANGUAGE_QUERY_PARAMETER)
    if isinstance(request.user, User) and language in dict(settings.LANGUAGES):
        request.user.language = language
        request.user.save(update_fields=["language"])
    return set_language(request)
