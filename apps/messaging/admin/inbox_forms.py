"""The small forms beside a conversation. They offer what belongs to its organization, and nothing else."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
)

from apps.accounts.models import Membership, Organization
from apps.messaging.models import Label
from apps.messaging.notes import LONGEST_NOTE


class ReplyForm(forms.Form):
    prefix = "reply"
    text = forms.CharField(label=_("Answer"), strip=False, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}))


class NoteForm(forms.Form):
    prefix = "note"
    text = forms.CharField(
        label=_("New note"), max_length=LONGEST_NOTE, widget=UnfoldAdminTextareaWidget(attrs={"rows": 2})
    )


class AssignForm(forms.Form):
    member: forms.ModelChoiceField[Membership] = forms.ModelChoiceField(
        label=_("Assigned to"),
        queryset=Membership.across_organizations.none(),
        required=False,
        empty_label=_("nobody"),
        widget=UnfoldAdminSelectWidget(),
    )

    def __init__(self, organization: Organization, data: Any = None, **more: Any) -> None:
        super().__init__(data, **more)
        members = Membership.objects.for_organization(organization).select_related("user").order_by("pk")
        _offer(self, "member", members)


class LabelsForm(forms.Form):
    labels: forms.ModelMultipleChoiceField[Label] = forms.ModelMultipleChoiceField(
        label=_("Labels"),
        queryset=Label.across_organizations.none(),
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget(),
    )

    def __init__(self, organization: Organization, data: Any = None, **more: Any) -> None:
        super().__init__(data, **more)
        _offer(self, "labels", Label.objects.for_organization(organization).order_by("name"))


def _offer(form: forms.Form, name: str, rows: Any) -> None:
    field = form.fields[name]
    assert isinstance(field, forms.ModelChoiceField)
    field.queryset = rows
