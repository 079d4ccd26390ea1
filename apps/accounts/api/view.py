"""What every view of the API is built on."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from math import ceil
from typing import Any, ClassVar
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, NotFound
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView

from apps.accounts.authentication import ApiKeyAuthentication, BearerAuthentication, HasScope
from apps.accounts.principal import Principal
from apps.accounts.roles import Scope
from apps.accounts.tenancy import TenantModel
from apps.accounts.throttling import CallerThrottle
from apps.core.api.pagination import NewestFirst
from apps.core.limiter import Grant


class ApiView(APIView):
    """An endpoint for an authenticated caller, who acts in one organization.

    `scopes` names, for each method, what the caller must be allowed to do.
    """

    authentication_classes: Sequence[type[BaseAuthentication]] = (BearerAuthentication, ApiKeyAuthentication)
    permission_classes: Sequence[type[BasePermission]] = (HasScope,)
    throttle_classes = (CallerThrottle,)
    http_method_names = ["get", "head", "post", "put", "patch", "delete"]
    scopes: ClassVar[Mapping[str, Scope]] = {}
    # Left here by the throttle, told in the answer's headers.
    grant: Grant | None = None

    @property
    def principal(self) -> Principal:
        principal = self.request.user
        assert isinstance(principal, Principal)
        return principal

    def perform_authentication(self, request: Request) -> None:
        """Whoever fails is counted too, by where they come from."""
        try:
            super().perform_authentication(request)
        except AuthenticationFailed:
            self.check_throttles(request)
            raise

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        response = super().finalize_response(request, response, *args, **kwargs)
        if self.grant is not None:
            response["RateLimit-Limit"] = str(settings.API_BURST)
            response["RateLimit-Remaining"] = str(self.grant.remaining)
            response["RateLimit-Reset"] = str(ceil(self.grant.reset_after))
        return response


class TenantView[M: TenantModel](ApiView):
    """An endpoint over one kind of thing that organizations own; another organization's does not exist."""

    model: type[M]
    reader: type[BaseSerializer[Any]]
    pagination_class: ClassVar[type[NewestFirst]] = NewestFirst

    def get_queryset(self) -> QuerySet[M]:
        return self.model.objects.for_organization(self.principal.organization)

    def get_object(self, pk: UUID) -> M:
        found = self.get_queryset().filter(pk=pk).first()
        if found is None:
            raise NotFound
        return found

    def page(self, request: Request) -> Response:
        rows = self.paginator.paginate_queryset(self.get_queryset(), request, self)
        return self.paginator.get_paginated_response(self.reader(rows, many=True).data)

    @cached_property
    def paginator(self) -> NewestFirst:
        return self.pagination_class()
