"""The organizations of the installation."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts import organizations
from apps.accounts.api.installation_view import InstallationView
from apps.accounts.api.organization import OrganizationReader
from apps.accounts.models import Organization
from apps.core.api.pagination import NewestFirst
from apps.core.api.serializers import StrictSerializer


class NewOrganization(StrictSerializer):
    name = serializers.CharField(max_length=120)
    slug = serializers.RegexField(
        r"^[a-z0-9]+(-[a-z0-9]+)*$",
        max_length=60,
        help_text="Its short name: lower-case letters, digits and dashes. No two organizations have the same.",
    )


class InstallationOrganizationsView(InstallationView):
    pagination_class = NewestFirst

    @extend_schema(responses=OrganizationReader(many=True), operation_id="installation_organizations_list")
    def get(self, request: Request) -> Response:
        """All organizations, newest first."""
        pages = self.pagination_class()
        rows = pages.paginate_queryset(Organization.objects.all(), request, self)
        return pages.get_paginated_response(OrganizationReader(rows, many=True).data)

    @extend_schema(
        request=NewOrganization,
        responses={201: OrganizationReader},
        operation_id="installation_organizations_create",
    )
    def post(self, request: Request) -> Response:
        """Make an organization. One that is sent again is refused: its `slug` is taken, by itself."""
        body = NewOrganization(data=request.data)
        body.is_valid(raise_exception=True)
        wanted = body.validated_data
        added = organizations.add(self.operator.actor, name=wanted["name"], slug=wanted["slug"])
        return Response(OrganizationReader(added).data, status=201)


class OneInstallationOrganizationView(InstallationView):
    @extend_schema(responses=OrganizationReader, operation_id="installation_organizations_retrieve")
    def get(self, request: Request, organization_id: UUID) -> Response:
        """One organization."""
        found = Organization.objects.filter(pk=organization_id).first()
        if found is None:
            raise NotFound
        return Response(OrganizationReader(found).data)
