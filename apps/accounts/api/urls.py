"""The addresses of this app under /v1/."""

from django.urls import path

from apps.accounts.api.api_keys import ApiKeysView, OneApiKeyView, RotateApiKeyView
from apps.accounts.api.audit_events import AuditEventsView
from apps.accounts.api.auth import LogoutView, RefreshView, TokenView
from apps.accounts.api.installation_organizations import (
    InstallationOrganizationsView,
    LiftSuspensionView,
    OneInstallationOrganizationView,
    SuspendOrganizationView,
)
from apps.accounts.api.installation_users import OneUserView, UsersView
from apps.accounts.api.members import MembersView, OneMemberView
from apps.accounts.api.organization import MeView, OrganizationView

urlpatterns = [
    path("auth/token", TokenView.as_view()),
    path("auth/refresh", RefreshView.as_view()),
    path("auth/logout", LogoutView.as_view()),
    path("me", MeView.as_view()),
    path("organization", OrganizationView.as_view()),
    path("members", MembersView.as_view()),
    path("members/<uuid:member_id>", OneMemberView.as_view()),
    path("api-keys", ApiKeysView.as_view()),
    path("api-keys/<uuid:key_id>", OneApiKeyView.as_view()),
    path("api-keys/<uuid:key_id>/rotate", RotateApiKeyView.as_view()),
    path("audit-events", AuditEventsView.as_view()),
    path("installation/organizations", InstallationOrganizationsView.as_view()),
    path("installation/organizations/<uuid:organization_id>", OneInstallationOrganizationView.as_view()),
    path("installation/organizations/<uuid:organization_id>/suspend", SuspendOrganizationView.as_view()),
    path("installation/organizations/<uuid:organization_id>/lift", LiftSuspensionView.as_view()),
    path("installation/users", UsersView.as_view()),
    path("installation/users/<uuid:user_id>", OneUserView.as_view()),
]
