from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminEmailInputWidget, UnfoldAdminTextInputWidget

from apps.accounts import members
from apps.accounts.acting import acting_principal
from apps.accounts.admin.base import TenantAdmin
from apps.accounts.members import AlreadyMember
from apps.accounts.models import Membership, Organization
from apps.accounts.principal import Principal
from apps.accounts.roles import Role, Scope


class NewMemberForm(forms.ModelForm[Membership]):
    # Whose members these are, where the form does not ask; set by the admin.
    acting_organization: ClassVar[Organization | None] = None

    email = forms.EmailField(
        label=_("E-mail"),
        max_length=254,
        widget=UnfoldAdminEmailInputWidget(),
        help_text=_("Somebody who is new here sets a password with “Forgot your password?” on the log-in page."),
    )
    name = forms.CharField(label=_("Name"), max_length=120, required=False, widget=UnfoldAdminTextInputWidget())

    class Meta:
        model = Membership
        fields = ["organization", "role"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        organization = cleaned.get("organization") or self.acting_organization
        if organization and members.belongs(organization, cleaned.get("email", "")):
            self.add_error("email", str(AlreadyMember.default_detail))
        return cleaned


@admin.register(Membership)
class MembershipAdmin(TenantAdmin[Membership]):
    read_scope = Scope.MEMBERS_READ
    write_scope = Scope.MEMBERS_WRITE
    list_display = ["name", "email", "role", "created_at"]
    list_filter = ["role"]
    search_fields = ["user__email", "name"]
    ordering = ["-id"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        return super().get_queryset(request).select_related("user")

    def get_form(
        self, request: HttpRequest, obj: Membership | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        if obj is None:
            principal = acting_principal(request)
            kwargs["form"] = type(
                "NewMemberForm", (NewMemberForm,), {"acting_organization": principal and principal.organization}
            )
        return super().get_form(request, obj, change=change, **kwargs)

    def get_fields(self, request: HttpRequest, obj: Membership | None = None) -> list[str]:
        if obj is not None:
            return ["name", "email", "role", "created_at"]
        excluded = self.get_exclude(request, obj)
        return [name for name in ["organization", "email", "name", "role"] if name not in excluded]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"role": Role.VIEWER, **super().get_changeform_initial_data(request)}

    def get_readonly_fields(self, request: HttpRequest, obj: Membership | None = None) -> list[str]:
        return [] if obj is None else ["name", "email", "created_at"]

    def save_for(
        self, principal: Principal, obj: Membership, form: forms.ModelForm[Membership], *, change: bool
    ) -> None:
        if change:
            stored = Membership.objects.for_organization(obj.organization).get(pk=obj.pk)
            members.change_role(principal, stored, Role(form.cleaned_data["role"]))
            return
        wanted = form.cleaned_data
        added = members.add(principal, email=wanted["email"], name=wanted["name"], role=Role(wanted["role"]))
        obj.__dict__.update(added.__dict__)

    def delete_for(self, principal: Principal, obj: Membership) -> None:
        members.remove(principal, obj)

    @admin.display(description=_("e-mail"), ordering="user__email")
    def email(self, membership: Membership) -> str:
        return membership.user.email
