"""Access tokens for our own pages: a browser that is logged in gets one for REST and WebSocket.

Each browser session has at most one API session in each organization, however many tabs it has open, and takes it
along when the person logs out.
"""

from typing import Any
from uuid import UUID

import orjson
from django.conf import settings
from django.contrib.sessions.models import Session as BrowserSession
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from apps.accounts import sessions
from apps.accounts.acting import CHOSEN, memberships_of
from apps.accounts.browser_sessions import SessionStore
from apps.accounts.models import Membership, User
from apps.accounts.roles import SCOPES_OF, Role
from apps.core.api.problems import problem_response

# In the browser's session: the id of its API session, by organization.
KEPT = "api_sessions"
MOST_ORGANIZATIONS = 50


class _LoggedOut(Exception):
    pass


@never_cache
@require_POST
def browser_token(request: HttpRequest) -> HttpResponse:
    """A token in the organization that is asked for, or else in the one that the person last worked in."""
    if not isinstance(request.user, User):
        return _logged_out()
    try:
        wanted = _organization_wanted(request.body)
    except ValueError:
        return problem_response(400, "invalid", _("organization_id must be the id of an organization."))
    memberships = memberships_of(request.user)
    membership = _choose(memberships, wanted, request.session.get(CHOSEN))
    if membership is None and wanted is not None:
        return problem_response(404, "not_found", _("You belong to no such organization."))
    if membership is None:
        detail = _("You belong to no organization. Ask an owner to add you.")
        return problem_response(403, "no_membership", detail)
    try:
        token = _token(str(request.session.session_key), membership)
    except _LoggedOut:
        return _logged_out()
    return JsonResponse(_answer(token, membership, list(memberships[:MOST_ORGANIZATIONS])))


def end_tokens(request: HttpRequest | None, **_signal: Any) -> None:
    """When somebody logs out, what their pages were given ends with it."""
    session = getattr(request, "session", None)
    for session_id in (session.get(KEPT) or {}).values() if session is not None else ():
        sessions.close_session(UUID(session_id))


def _organization_wanted(body: bytes) -> UUID | None:
    """Raises ValueError for what is no id."""
    given = orjson.loads(body) if body else {}
    wanted = given.get("organization_id") if isinstance(given, dict) else given
    return None if wanted is None else UUID(str(wanted))


def _choose(memberships: QuerySet[Membership], wanted: UUID | None, last: Any) -> Membership | None:
    if wanted is not None:
        return memberships.filter(organization=wanted).first()
    return (memberships.filter(organization=last).first() if last else None) or memberships.first()


@transaction.atomic
def _token(session_key: str, membership: Membership) -> str:
    """The browser session's row is locked meanwhile: of two tabs that ask at once, the second finds what the first
    wrote down.
    """
    if BrowserSession.objects.select_for_update().filter(pk=session_key).first() is None:
        raise _LoggedOut
    session = SessionStore(session_key)
    kept: dict[str, str] = session.get(KEPT, {})
    organization_id = str(membership.organization_id)
    known = kept.get(organization_id)
    access = sessions.access_for(membership, UUID(known) if known else None)
    if str(access.session_id) != known:
        session[KEPT] = {**kept, organization_id: str(access.session_id)}
        session.save()
    return access.token


def _answer(token: str, membership: Membership, memberships: list[Membership]) -> dict[str, Any]:
    return {
        "access": token,
        "expires_in": settings.ACCESS_TOKEN_SECONDS,
        "scopes": sorted(SCOPES_OF[Role(membership.role)]),
        "user": {"id": str(membership.user_id), "email": membership.user.email, "name": membership.user.name},
        "organization": _shown(membership),
        "organizations": [_shown(each) for each in memberships],
    }


def _shown(membership: Membership) -> dict[str, str]:
    return {"id": str(membership.organization_id), "name": membership.organization.name}


def _logged_out() -> HttpResponse:
    return problem_response(401, "logged_out", _("You are logged out. Log in again."))
