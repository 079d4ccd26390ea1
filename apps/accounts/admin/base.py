"""What the admin of everything that organizations own has in common.

Who sees and changes what is decided by the same scopes as in the API, over the same querysets, and a change
goes through the same functions: an admin class says which.
"""

from typing import Any, ClassVar

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import DataError, transaction
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from unfold.admin import ModelAdmin

from apps.accounts.acting import acting_principal, principal_for
from apps.accounts.models import User
from apps.accounts.principal import Principal
from apps.accounts.roles import Scope
from apps.accounts.tenancy import TenantModel
from apps.core.api.problems import Problem

# As the filters at the side of a list write them into the address.
LOOKUPS = ("", "__exact", "__id__exact", "__isnull", "__isnull__exact")


class ProblemsAsMessages(ModelAdmin):  # type: ignore[misc]
    """What the API answers as a problem, the admin says on the page it was met on."""

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return self._guarded(super().changeform_view, request, *args, **kwargs)

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return self._guarded(super().delete_view, request, *args, **kwargs)

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return self._guarded(super().changelist_view, request, *args, **kwargs)
        except (ValueError, OverflowError, DataError, ValidationError):
            # A filter in the address with a value that its column cannot have.
            messages.error(request, _("This filter makes no sense, so it was left out."))
            return HttpResponseRedirect(request.path)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Only what the page offers as a filter. Django would let the address search any column in any way."""
        offered = {name for name in self.get_list_filter(request) if isinstance(name, str)}
        return lookup in {f"{name}{suffix}" for name in offered for suffix in LOOKUPS}

    def _guarded(self, view: Any, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            answer: HttpResponseBase = view(request, *args, **kwargs)
        except Problem as problem:
            messages.error(request, str(problem.detail))
            return HttpResponseRedirect(request.get_full_path())
        return answer


class TenantAdmin[M: TenantModel](ProblemsAsMessages):
    read_scope: ClassVar[Scope]
    # Without one, nobody writes.
    write_scope: ClassVar[Scope | None] = None

    def get_queryset(self, request: HttpRequest) -> QuerySet[M]:
        model: type[M] = self.model
        principal = acting_principal(request)
        if principal is not None:
            return model.objects.for_organization(principal.organization)
        if _runs_installation(request):
            return model.across_organizations.select_related("organization")
        return model.across_organizations.none()

    def get_list_display(self, request: HttpRequest) -> list[str]:
        columns = list(super().get_list_display(request))
        return [*columns, "organization"] if _runs_installation(request) else columns

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        filters = list(super().get_list_filter(request))
        return [*filters, "organization"] if _runs_installation(request) else filters

    def get_exclude(self, request: HttpRequest, obj: M | None = None) -> list[str]:
        """Only a superuser says whose something is, and only when it is made."""
        excluded = list(super().get_exclude(request, obj) or [])
        return excluded if _runs_installation(request) and obj is None else [*excluded, "organization"]

    def save_model(self, request: HttpRequest, obj: M, form: ModelForm[M], change: bool) -> None:
        member = acting_principal(request)
        if member is not None and not change:
            obj.organization = member.organization
        self.save_for(principal_for(request, obj.organization), obj, form, change=change)

    def save_for(self, principal: Principal, obj: M, form: ModelForm[M], *, change: bool) -> None:
        """Carry the change out, through the function that the API calls."""
        raise NotImplementedError

    def delete_model(self, request: HttpRequest, obj: M) -> None:
        self.delete_for(principal_for(request, obj.organization), obj)

    @transaction.atomic
    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[M]) -> None:
        """All or none: a refusal half-way must not leave half of them gone."""
        for obj in queryset:
            self.delete_model(request, obj)

    def delete_for(self, principal: Principal, obj: M) -> None:
        raise NotImplementedError

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self._may(request, self.read_scope)

    def has_view_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return self._may(request, self.read_scope)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self._may(request, self.write_scope)

    def has_change_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return self._may(request, self.write_scope)

    def has_delete_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return self._may(request, self.write_scope)

    def _may(self, request: HttpRequest, scope: Scope | None) -> bool:
        if scope is None:
            return False
        principal = acting_principal(request)
        return principal.may(scope) if principal else _runs_installation(request)


def _runs_installation(request: HttpRequest) -> bool:
    return isinstance(request.user, User) and request.user.is_active and request.user.is_superuser
