"""What the views under /v1/installation/ are built on: for those who run the installation, in no organization."""

from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from apps.accounts.api.view import ApiView
from apps.accounts.authentication import (
    ApiKeyAuthentication,
    BearerAuthentication,
    InstallationKeyAuthentication,
)
from apps.accounts.principal import Operator


class RunsInstallation(BasePermission):
    message = _("This needs an installation key, which superusers make in the admin.")
    code = "not_for_organizations"

    def has_permission(self, request: Request, view: object) -> bool:
        return isinstance(request.user, Operator)


class InstallationView(ApiView):
    """Who speaks for an organization is known here too, and refused."""

    authentication_classes: Sequence[type[BaseAuthentication]] = (
        InstallationKeyAuthentication,
        BearerAuthentication,
        ApiKeyAuthentication,
    )
    permission_classes: Sequence[type[BasePermission]] = (RunsInstallation,)

    @property
    def operator(self) -> Operator:
        operator = self.request.user
        assert isinstance(operator, Operator)
        return operator
