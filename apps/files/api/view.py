"""What the views of files have in common."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework.response import Response

from apps.accounts.api.view import TenantView
from apps.accounts.tenancy import TenantModel
from apps.core.api.problems import Problem, Unavailable
from apps.files.stores.store import StoreFailed, StoreFull


class StorageUnavailable(Unavailable):
    default_code = "storage_unavailable"
    default_detail = _("The storage cannot be reached at the moment. Try again.")


class StorageFull(Problem):
    status_code = 507
    default_code = "storage_full"
    default_detail = _("There is no room for it. Tell whoever runs this installation.")


class StorageView[M: TenantModel](TenantView[M]):
    def handle_exception(self, exc: Exception) -> Response:
        told: Any = exc
        if isinstance(exc, StoreFull):
            told = StorageFull()
        elif isinstance(exc, StoreFailed):
            told = StorageUnavailable(wait=10)
        return super().handle_exception(told)
