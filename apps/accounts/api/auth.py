"""Tokens for people: log in, stay in, log out."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts import sessions
from apps.accounts.api.view import ApiView
from apps.accounts.models import Membership, User
from apps.accounts.sign_in import recognize_person
from apps.accounts.tokens import Claims
from apps.core.api.problems import Problem
from apps.core.api.serializers import StrictSerializer


class NoMembership(Problem):
    status_code = 403
    default_code = "no_membership"
    default_detail = _("You belong to no organization. Ask an owner to add you.")


class SessionOver(Problem):
    status_code = 401
    default_code = "session_ended"
    default_detail = _("This refresh token is no longer valid. Log in again.")


class Credentials(StrictSerializer):
    email = serializers.EmailField(max_length=254)
    password = serializers.CharField(max_length=1024, trim_whitespace=False)
    code = serializers.CharField(max_length=20, default="", help_text="Of the second factor, if there is one.")
    organization_id = serializers.UUIDField(
        required=False, help_text="If you belong to several; without it, the one you joined first."
    )


class RefreshToken(StrictSerializer):
    refresh = serializers.CharField(max_length=200)


class Tokens(serializers.Serializer[Any]):
    access = serializers.CharField(help_text="Send it as `Authorization: Bearer …`.")
    refresh = serializers.CharField(help_text="Good for one refresh, which brings the next one.")
    expires_in = serializers.IntegerField(help_text="Seconds until `access` expires.")


class TokenView(ApiView):
    authentication_classes = ()
    permission_classes = ()

    @extend_schema(request=Credentials, responses={201: Tokens}, auth=[], operation_id="auth_token_create")
    def post(self, request: Request) -> Response:
        """Log in with e-mail and password."""
        body = Credentials(data=request.data)
        body.is_valid(raise_exception=True)
        wanted = body.validated_data
        user = recognize_person(
            request._request, email=wanted["email"], password=wanted["password"], code=wanted["code"]
        )
        membership = _choose_membership(user, wanted.get("organization_id"))
        return _answer(sessions.open_session(membership), status=201)


class RefreshView(ApiView):
    authentication_classes = ()
    permission_classes = ()

    @extend_schema(request=RefreshToken, responses={200: Tokens}, auth=[], operation_id="auth_refresh_create")
    def post(self, request: Request) -> Response:
        """Exchange a refresh token for a new pair. Each works once; one that comes back ends the session."""
        body = RefreshToken(data=request.data)
        body.is_valid(raise_exception=True)
        try:
            pair = sessions.refresh(body.validated_data["refresh"])
        except sessions.SessionEnded as error:
            raise SessionOver from error
        return _answer(pair, status=200)


class HasSession(BasePermission):
    message = _("Only a person's access token has a session to end. Revoke API keys instead.")
    code = "no_session"

    def has_permission(self, request: Request, view: object) -> bool:
        return isinstance(request.auth, Claims)


class LogoutView(ApiView):
    permission_classes = (HasSession,)

    @extend_schema(request=None, responses={204: None}, operation_id="auth_logout_create")
    def post(self, request: Request) -> Response:
        """End the session behind this access token: neither it nor its refresh token works again."""
        claims = request.auth
        assert isinstance(claims, Claims)
        sessions.close_session(claims.session_id)
        return Response(status=204)


def _choose_membership(user: User, organization_id: UUID | None) -> Membership:
    memberships = user.memberships.select_related("organization", "user").order_by("pk")
    if organization_id is not None:
        chosen = memberships.filter(organization=organization_id).first()
        if chosen is None:
            raise NotFound
        return chosen
    # The oldest, so that being added somewhere else changes nothing for programs that log in as this person.
    oldest = memberships.first()
    if oldest is None:
        raise NoMembership
    return oldest


def _answer(pair: sessions.TokenPair, *, status: int) -> Response:
    body = {"access": pair.access, "refresh": pair.refresh, "expires_in": settings.ACCESS_TOKEN_SECONDS}
    return Response(body, status=status, headers={"Cache-Control": "no-store"})
