from typing import Any

from django.contrib import admin
from django.forms import ModelForm
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext_lazy as _

from apps.accounts.admin.base import TenantAdmin
from apps.accounts.principal import Principal
from apps.accounts.roles import Scope
from apps.files import policies
from apps.files.models import StoragePolicy


@admin.register(StoragePolicy)
class StoragePolicyAdmin(TenantAdmin[StoragePolicy]):
    read_scope = Scope.ORGANIZATION_READ
    write_scope = Scope.ORGANIZATION_WRITE
    list_display = ["organization", "stored", "most_bytes", "largest_bytes", "keep_days", "unused_days"]
    fields = ["stored", *policies.CHANGEABLE]
    readonly_fields = ["stored"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Written down by the first file."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: StoragePolicy | None = None) -> bool:
        return False

    def get_list_display(self, request: HttpRequest) -> list[str]:
        return list(self.list_display)

    def save_for(self, principal: Principal, obj: StoragePolicy, form: ModelForm[Any], *, change: bool) -> None:
        policies.change(principal, **{name: form.cleaned_data[name] for name in policies.CHANGEABLE})

    @admin.display(description=_("stored"))
    def stored(self, policy: StoragePolicy) -> str:
        return filesizeformat(policy.stored_bytes)
