"""What the admin of everything that organizations own has in common.

Who sees and changes what is decided by the same scopes as in the API, over the same querysets, and a change
goes through the same functions: an admin class says which.
"""

from collections.abc import Callable
from typing import Any, ClassVar
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import DataError, transaction
from django.db.models import Model, QuerySet
from django.forms import Form, ModelForm
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.functional import Promise
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

    # What to do next where there is nothing yet.
    empty_hint: ClassVar[str | Promise] = ""

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
        filters = self.get_list_filter(request)
        offered = {name for name in filters if isinstance(name, str)}
        classes = [each for each in filters if isinstance(each, type)]
        own = {name for each in classes for name in getattr(each, "names", [getattr(each, "parameter_name", "")])}
        return lookup in own | {f"{name}{suffix}" for name in offered for suffix in LOOKUPS}

    def _guarded(self, view: Any, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            answer: HttpResponseBase = view(request, *args, **kwargs)
        except Problem as problem:
            messages.error(request, str(problem.detail))
            return HttpResponseRedirect(request.get_full_path())
        return answer

    def confirm(
        self,
        request: HttpRequest,
        obj: Model,
        verb: str,
        explanation: str,
        *,
        variant: str = "danger",
        form: Form | None = None,
    ) -> HttpResponse:
        """The page on which somebody says that they mean it; `form` asks for what else the action needs."""
        context = {
            **self.admin_site.each_context(request),
            "title": f"{verb}: {obj}",
            "verb": verb,
            "explanation": explanation,
            "variant": variant,
            "form": form,
            "back": self.address_of(obj),
        }
        return TemplateResponse(request, "accounts/admin/confirm.html", context)

    def address_of(self, obj: Model) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[obj.pk])


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

    def get_fields(self, request: HttpRequest, obj: M | None = None) -> list[Any]:
        """Django would draw what is excluded where a class names its fields, and find no field for it."""
        excluded = self.get_exclude(request, obj)
        return [name for name in super().get_fields(request, obj) if name not in excluded]

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

    def get_one(self, request: HttpRequest, object_id: str) -> M:
        """What an action's address names, if the person may know of it."""
        try:
            UUID(object_id)
        except ValueError as error:
            raise Http404 from error
        found: M | None = self.get_queryset(request).select_related("organization").filter(pk=object_id).first()
        if found is None:
            raise Http404
        return found

    def after_asking(
        self,
        request: HttpRequest,
        obj: M,
        change: Callable[[Principal, M], object],
        *,
        verb: str,
        explanation: str,
        done: str,
        variant: str = "danger",
    ) -> HttpResponseBase:
        """An action that is one call of a function: asked first, then carried out and said."""
        if request.method != "POST":
            return self.confirm(request, obj, verb, explanation, variant=variant)
        change(principal_for(request, obj.organization), obj)
        messages.success(request, done)
        return HttpResponseRedirect(self.address_of(obj))

    def show_once(
        self, request: HttpRequest, *, title: str, label: str, text: str, explanation: str, back: str
    ) -> HttpResponse:
        """A secret, on a page that nobody keeps."""
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "label": label,
            "text": text,
            "explanation": explanation,
            "back": back,
        }
        response = TemplateResponse(request, "accounts/admin/shown_once.html", context)
        response["Cache-Control"] = "no-store"
        return response

    def has_write_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Asked by the actions."""
        return self._may(request, self.write_scope)

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
