"""The admin itself: who may open it, and how they prove who they are."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from allauth.account.decorators import secure_admin_login
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import messages
from django.core.paginator import InvalidPage
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import path
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.sites import UnfoldAdminSite

from apps.accounts.acting import acting_principal, acting_user, choose, memberships_of

MOST_IN_MENU = 50
NEVER_CROSS_SITE = {"same-origin", "none"}


class RecadoAdminSite(UnfoldAdminSite):  # type: ignore[misc]
    index_title = gettext_lazy("Overview")
    index_template = "accounts/admin/index.html"
    enable_nav_sidebar = True

    @method_decorator(secure_admin_login)
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Everybody proves who they are on allauth's page, which counts attempts and asks for second factors.

        Django's own form would take a password here, from whoever is logged in already.
        """
        return redirect("admin:index")

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """allauth's page limits how often the old password may be guessed, and tells the person of the change."""
        return redirect("account_change_password")

    def search(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        try:
            return super().search(request, extra_context)  # type: ignore[no-any-return]
        except (InvalidPage, ValueError) as error:
            raise Http404 from error

    def admin_view(self, view: Callable[..., HttpResponseBase], cacheable: bool = False) -> Any:
        """Where the installation asks for it, nobody gets further than setting up their second factor."""

        @wraps(view)
        def with_second_factor(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if settings.ADMIN_REQUIRES_MFA and self.has_permission(request) and not is_mfa_enabled(request.user):
                messages.warning(request, _("Protect your account with a second factor before you go on."))
                return redirect("mfa_activate_totp")
            return view(request, *args, **kwargs)

        return super().admin_view(with_second_factor, cacheable)

    def get_urls(self) -> list[Any]:
        enter = self.admin_view(self.enter_organization)
        return [path("enter/<uuid:organization_id>/", enter, name="enter_organization"), *super().get_urls()]

    def enter_organization(self, request: HttpRequest, organization_id: UUID) -> HttpResponse:
        # A link on a stranger's page must not move an operator to another organization unnoticed.
        if request.headers.get("Sec-Fetch-Site", "none") not in NEVER_CROSS_SITE or not choose(
            request, organization_id
        ):
            raise Http404
        return redirect("admin:index")


def organization_switcher(request: HttpRequest) -> list[dict[str, Any]]:
    """For the menu at the top of the side bar: the organizations that one can work in."""
    if not request.user.is_authenticated or acting_user(request).is_superuser:
        return []
    memberships = list(memberships_of(acting_user(request))[:MOST_IN_MENU])
    return [
        {"title": each.organization.name, "icon": "domain", "link": f"/admin/enter/{each.organization_id}/"}
        for each in memberships
        if len(memberships) > 1
    ]


def current_organization(request: HttpRequest) -> str:
    principal = acting_principal(request) if request.user.is_authenticated else None
    return principal.organization.name if principal else _("All organizations")
