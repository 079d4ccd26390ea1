"""What is answered where no view answers: problems under /v1/, pages elsewhere.

Django's own versions look into the form that was sent, which may be what is wrong with the request.
"""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from apps.core.api.problems import is_api, problem_response


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if is_api(request):
        return problem_response(400, "bad_request", _("The request cannot be understood."))
    return render(request, "400.html", status=400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    if is_api(request):
        return problem_response(403, "permission_denied", _("You may not do this."))
    return render(request, "403.html", status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if is_api(request):
        return problem_response(404, "not_found", _("There is nothing at this address."))
    return render(request, "404.html", status=404)


def server_error(request: HttpRequest, *_args: Any) -> HttpResponse:
    if is_api(request):
        detail = _("Something failed on our side. Tell your administrator the request_id.")
        return problem_response(500, "server_error", detail)
    return HttpResponse(render_to_string("500.html"), status=500)
