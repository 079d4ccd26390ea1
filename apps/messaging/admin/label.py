from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminColorInputWidget, UnfoldAdminTextInputWidget

from apps.accounts.admin.base import TenantAdmin
from apps.accounts.principal import Principal
from apps.accounts.roles import Scope
from apps.messaging import labels
from apps.messaging.models import Label


class LabelForm(forms.ModelForm[Label]):
    color = forms.RegexField(
        regex=labels.COLOR, label=_("color"), initial="#64748b", widget=UnfoldAdminColorInputWidget()
    )

    class Meta:
        model = Label
        fields = ["organization", "name", "color"]
        widgets = {"name": UnfoldAdminTextInputWidget()}


@admin.register(Label)
class LabelAdmin(TenantAdmin[Label]):
    read_scope = Scope.MESSAGES_READ
    write_scope = Scope.MESSAGES_WRITE
    form = LabelForm
    empty_hint = _("Labels sort conversations. Add one, and hang it on a conversation.")
    list_display = ["name", "chip"]
    search_fields = ["name"]
    ordering = ["name"]

    def save_for(self, principal: Principal, obj: Label, form: forms.ModelForm[Label], *, change: bool) -> None:
        wanted = {name: form.cleaned_data[name] for name in labels.CHANGEABLE}
        if change:
            stored = Label.objects.for_organization(obj.organization).get(pk=obj.pk)
            labels.change(principal, stored, **wanted)
        else:
            obj.__dict__.update(labels.add(principal, **wanted).__dict__)

    def delete_for(self, principal: Principal, obj: Label) -> None:
        labels.remove(principal, obj)

    def get_fields(self, request: HttpRequest, obj: Label | None = None) -> list[str]:
        excluded = self.get_exclude(request, obj)
        return [name for name in ["organization", "name", "color"] if name not in excluded]

    @admin.display(description=_("color"))
    def chip(self, label: Label) -> SafeString:
        return format_html('<span class="label-chip" style="--label: {}">{}</span>', label.color, label.color)

    class Media:
        css = {"all": ["messaging/conversation.css"]}
