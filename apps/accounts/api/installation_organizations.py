"""The organizations of the installation: made, limited, suspended, removed."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts import organizations
from apps.accounts.api.installation_view import InstallationView
from apps.accounts.api.organization import OrganizationChange, OrganizationReader
from apps.accounts.models import Organization
from apps.core.api.pagination import NewestFirst
from apps.core.api.serializers import StrictSerializer

SLUG = r"^[a-z0-9]+(-[a-z0-9]+)*$"
LARGEST_QUOTA = 2**31 - 1
_ABOUT_SLUG = "Its short name: lower-case letters, digits and dashes. No two organizations have the same."


class NewOrganization(StrictSerializer):
    name = serializers.CharField(max_length=120)
    slug = serializers.RegexField(SLUG, max_length=60, help_text=_ABOUT_SLUG)


class OrganizationSettings(OrganizationChange):
    slug = serializers.RegexField(SLUG, max_length=60, required=False, help_text=_ABOUT_SLUG)
    monthly_quota = serializers.IntegerField(
        min_value=1,
        max_value=LARGEST_QUOTA,
        required=False,
        allow_null=True,
        help_text="Messages a calendar month (UTC); null: as many as it likes.",
    )


class Suspension(StrictSerializer):
    reason = serializers.CharField(max_length=300, help_text="Told to its people and programs.")


class InstallationOrganizationView(InstallationView):
    def get_object(self, organization_id: UUID) -> Organization:
        found = Organization.objects.filter(pk=organization_id).first()
        if found is None:
            raise NotFound
        return found


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


class OneInstallationOrganizationView(InstallationOrganizationView):
    @extend_schema(responses=OrganizationReader, operation_id="installation_organizations_retrieve")
    def get(self, request: Request, organization_id: UUID) -> Response:
        """One organization."""
        return Response(OrganizationReader(self.get_object(organization_id)).data)

    @extend_schema(
        request=OrganizationSettings,
        responses=OrganizationReader,
        operation_id="installation_organizations_update",
    )
    def patch(self, request: Request, organization_id: UUID) -> Response:
        """Change its names, its quota, and how long its messages are kept. What is left out stays."""
        found = self.get_object(organization_id)
        body = OrganizationSettings(data=request.data)
        body.is_valid(raise_exception=True)
        changed = organizations.set_up(self.operator.actor, found, **body.validated_data)
        return Response(OrganizationReader(changed).data)

    @extend_schema(responses={204: None}, operation_id="installation_organizations_delete")
    def delete(self, request: Request, organization_id: UUID) -> Response:
        """Remove one that has no conversation, for good. 409 `organization_has_data` for others: suspend those."""
        organizations.remove(self.operator.actor, self.get_object(organization_id))
        return Response(status=204)


class SuspendOrganizationView(InstallationOrganizationView):
    @extend_schema(
        request=Suspension, responses=OrganizationReader, operation_id="installation_organizations_suspend"
    )
    def post(self, request: Request, organization_id: UUID) -> Response:
        """It accepts nothing from now on, and keeps its data. 409 `already_suspended` where it is."""
        found = self.get_object(organization_id)
        body = Suspension(data=request.data)
        body.is_valid(raise_exception=True)
        suspended = organizations.suspend(self.operator.actor, found, reason=body.validated_data["reason"])
        return Response(OrganizationReader(suspended).data)


class LiftSuspensionView(InstallationOrganizationView):
    @extend_schema(request=None, responses=OrganizationReader, operation_id="installation_organizations_lift")
    def post(self, request: Request, organization_id: UUID) -> Response:
        """It accepts again. 409 `not_suspended` where it was not suspended."""
        lifted = organizations.lift(self.operator.actor, self.get_object(organization_id))
        return Response(OrganizationReader(lifted).data)
