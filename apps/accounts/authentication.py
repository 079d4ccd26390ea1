"""How a request to the API says who it is from: `Authorization: Bearer …` or `Authorization: Api-Key …`.

Programs of those who run the installation say `Authorization: Installation-Key …`, under /v1/installation/ only.
"""

from typing import ClassVar

import structlog
from django.utils.translation import gettext_lazy as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from apps.accounts import api_keys, barred, installation_keys
from apps.accounts.principal import Operator, Principal
from apps.accounts.roles import Scope
from apps.accounts.sessions import membership_behind
from apps.accounts.tokens import Claims, InvalidToken, read_access_token

# No credential of ours comes near this; longer ones are not worth a look-up.
LONGEST_CREDENTIAL = 4096


class SchemeAuthentication(BaseAuthentication):
    scheme: ClassVar[str]

    def credential_in(self, header: str) -> str | None:
        """None where the header is of another kind."""
        scheme, _space, credential = header.partition(" ")
        if scheme.lower() != self.scheme.lower():
            return None
        credential = credential.strip()
        if not credential or len(credential) > LONGEST_CREDENTIAL or not credential.isascii():
            raise self.refusal()
        return credential

    def refusal(self) -> AuthenticationFailed:
        raise NotImplementedError

    def authenticate_header(self, request: Request) -> str:
        return f'{self.scheme} realm="recado"'


class HeaderAuthentication(SchemeAuthentication):
    """Of whoever speaks for an organization."""

    def authenticate(self, request: Request) -> tuple[Principal, Claims | None] | None:
        return self.read(request.headers.get("Authorization", ""))

    def read(self, header: str) -> tuple[Principal, Claims | None] | None:
        """Who it is; None where the header is of another kind."""
        credential = self.credential_in(header)
        if credential is None:
            return None
        principal, claims = self.recognize(credential)
        structlog.contextvars.bind_contextvars(
            organization_id=str(principal.organization.id),
            actor_kind=str(principal.actor.kind),
            actor_id=str(principal.actor.id),
        )
        return principal, claims

    def recognize(self, credential: str) -> tuple[Principal, Claims | None]:
        raise NotImplementedError


class BearerAuthentication(HeaderAuthentication):
    scheme = "Bearer"

    def recognize(self, credential: str) -> tuple[Principal, Claims | None]:
        try:
            claims = read_access_token(credential)
        except InvalidToken as error:
            raise self.refusal() from error
        membership = membership_behind(claims)
        if membership is None:
            raise self.refusal()
        return Principal.of_membership(membership), claims

    def refusal(self) -> AuthenticationFailed:
        detail = _("The access token is not valid or has expired. Refresh it, or log in again.")
        return AuthenticationFailed(detail, code="invalid_token")


class ApiKeyAuthentication(HeaderAuthentication):
    scheme = "Api-Key"

    def recognize(self, credential: str) -> tuple[Principal, Claims | None]:
        key = api_keys.recognize(credential)
        if key is None:
            raise self.refusal()
        return Principal.of_api_key(key), None

    def refusal(self) -> AuthenticationFailed:
        detail = _("The API key is not valid, was revoked or has expired.")
        return AuthenticationFailed(detail, code="invalid_api_key")


class InstallationKeyAuthentication(SchemeAuthentication):
    scheme = "Installation-Key"

    def authenticate(self, request: Request) -> tuple[Operator, None] | None:
        credential = self.credential_in(request.headers.get("Authorization", ""))
        if credential is None:
            return None
        key = installation_keys.recognize(credential)
        if key is None:
            raise self.refusal()
        operator = Operator.of_key(key)
        structlog.contextvars.bind_contextvars(
            actor_kind=str(operator.actor.kind), actor_id=str(operator.actor.id)
        )
        return operator, None

    def refusal(self) -> AuthenticationFailed:
        detail = _("The installation key is not valid, was revoked or has expired.")
        return AuthenticationFailed(detail, code="invalid_installation_key")


WAYS: tuple[type[HeaderAuthentication], ...] = (BearerAuthentication, ApiKeyAuthentication)


def denial(principal: Principal, needed: Scope) -> PermissionDenied | None:
    """Why somebody may not do what needs this scope: they never may, or their organization may not now."""
    if not principal.may(needed):
        return PermissionDenied(_("This needs the scope %(scope)s.") % {"scope": needed}, code="missing_scope")
    organization = principal.organization
    if needed.is_writing and organization.suspended_at is not None:
        return PermissionDenied(barred.suspension(organization.suspend_reason), code=barred.SUSPENDED)
    return None


class HasScope(BasePermission):
    """Reads what the view declares. A view that declares nothing is open to nobody."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        principal = request.user
        if not isinstance(principal, Principal):
            return False
        method = "GET" if request.method == "HEAD" else request.method or ""
        if not hasattr(view, method.lower()):
            return True  # to be told that there is no such method
        needed: Scope | None = getattr(view, "scopes", {}).get(method)
        if needed is None:
            return False
        denied = denial(principal, needed)
        if denied is not None:
            raise denied
        return True


class _BearerSchema(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = BearerAuthentication
    name = "bearer"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}


class _ApiKeySchema(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = ApiKeyAuthentication
    name = "apiKey"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "`Api-Key rk_…`, the two words included",
        }


class _InstallationKeySchema(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = InstallationKeyAuthentication
    name = "installationKey"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "`Installation-Key ri_…`, the two words included",
        }
