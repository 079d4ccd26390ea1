from typing import Any

from django.contrib import admin
from django.db import transaction
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest

from apps.accounts import audit, organizations
from apps.accounts.acting import acting_principal, acting_user
from apps.accounts.admin.base import ProblemsAsMessages
from apps.accounts.models import Organization
from apps.accounts.principal import Principal, actor_of
from apps.accounts.roles import Scope


@admin.register(Organization)
class OrganizationAdmin(ProblemsAsMessages):
    """Members see the one they work in; making and removing them is for superusers."""

    list_display = ["name", "slug", "created_at"]
    search_fields = ["name", "slug"]
    fields = ["name", "slug", "created_at"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Organization]:
        principal = acting_principal(request)
        if principal is not None:
            return Organization.objects.filter(pk=principal.organization.pk)
        return Organization.objects.all() if acting_user(request).is_superuser else Organization.objects.none()

    def get_readonly_fields(self, request: HttpRequest, obj: Organization | None = None) -> list[str]:
        return ["created_at"] if acting_user(request).is_superuser else ["slug", "created_at"]

    def save_model(self, request: HttpRequest, obj: Organization, form: ModelForm[Any], change: bool) -> None:
        principal = acting_principal(request) or Principal.of_superuser(acting_user(request), obj)
        if change:
            organizations.change(principal, name=obj.name, slug=obj.slug)
        else:
            super().save_model(request, obj, form, change)
            audit.record(principal.actor, "organization.created", obj, organization=obj)

    def delete_model(self, request: HttpRequest, obj: Organization) -> None:
        # Belongs to no organization: the trail of this one goes with it.
        audit.record(actor_of(acting_user(request)), "organization.deleted", obj, organization=None)
        obj.delete()

    @transaction.atomic
    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Organization]) -> None:
        for organization in queryset:
            self.delete_model(request, organization)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Organization | None = None) -> bool:
        principal = acting_principal(request)
        return principal.may(Scope.ORGANIZATION_READ) if principal else acting_user(request).is_superuser

    def has_change_permission(self, request: HttpRequest, obj: Organization | None = None) -> bool:
        principal = acting_principal(request)
        return principal.may(Scope.ORGANIZATION_WRITE) if principal else acting_user(request).is_superuser
