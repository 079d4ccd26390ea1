from typing import Any

import allauth.account.admin
import allauth.mfa.admin  # noqa: F401 - registers what is taken out below
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.db import transaction
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from apps.accounts import access_changes, audit
from apps.accounts.acting import acting_user
from apps.accounts.admin.base import ProblemsAsMessages
from apps.accounts.models import User
from apps.accounts.principal import actor_of

# allauth's own pages manage these; in the admin they would only show what nobody may read.
admin.site.unregister([Authenticator, EmailAddress])


@admin.register(User)
class UserAdmin(ProblemsAsMessages, DjangoUserAdmin):  # type: ignore[misc,type-arg]
    """People of the whole installation, for superusers. Organizations manage their members."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ["email", "name", "is_active", "is_superuser", "last_login"]
    list_filter = ["is_active", "is_superuser"]
    search_fields = ["email", "name"]
    ordering = ["email"]
    filter_horizontal = ()
    readonly_fields = ["last_login", "created_at"]
    fieldsets = [
        (None, {"fields": ["email", "name", "language", "password"]}),
        (_("Access"), {"fields": ["is_active", "is_superuser"]}),
        (_("Dates"), {"fields": ["last_login", "created_at"]}),
    ]
    add_fieldsets = [(None, {"fields": ["email", "name", "language", "password1", "password2"]})]

    def save_model(self, request: HttpRequest, obj: User, form: ModelForm[Any], change: bool) -> None:
        before = {name: form.initial.get(name) for name in form.changed_data if name in form.initial}
        super().save_model(request, obj, form, change)
        access_changes.announce()
        action = "user.changed" if change else "user.created"
        changes = audit.difference(before, obj) if change else {}
        audit.record(actor_of(acting_user(request)), action, obj, organization=None, changes=changes)

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        audit.record(actor_of(acting_user(request)), "user.deleted", obj, organization=None)
        super().delete_model(request, obj)
        access_changes.announce()

    @transaction.atomic
    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for user in queryset:
            self.delete_model(request, user)

    def log_change(self, request: HttpRequest, obj: User, message: Any) -> Any:
        """The page that sets somebody's password passes only here."""
        if request.resolver_match and request.resolver_match.url_name == "auth_user_password_change":
            changes = {"password": ("[hidden]", "[hidden]")}
            audit.record(actor_of(acting_user(request)), "user.changed", obj, organization=None, changes=changes)
        return super().log_change(request, obj, message)
