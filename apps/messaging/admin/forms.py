from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from apps.channels.models import ChannelAccount
from apps.messaging.dead_letters import LONGEST_REASON, Selection


class DiscardForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), max_length=LONGEST_REASON, widget=UnfoldAdminTextInputWidget())


class _DateTimeInput(UnfoldAdminTextInputWidget):  # type: ignore[misc]
    input_type = "datetime-local"


class ReplayQueryForm(forms.Form):
    """Which dead letters; what is left empty does not matter."""

    account: forms.ModelChoiceField[ChannelAccount] = forms.ModelChoiceField(
        label=_("Channel account"),
        queryset=ChannelAccount.across_organizations.none(),
        required=False,
        widget=UnfoldAdminSelectWidget(),
    )
    kind = forms.CharField(
        label=_("Kind of error"), required=False, max_length=20, widget=UnfoldAdminTextInputWidget()
    )
    error_code = forms.CharField(
        label=_("Error code"), required=False, max_length=60, widget=UnfoldAdminTextInputWidget()
    )
    created_before = forms.DateTimeField(
        label=_("Failed before"), required=False, help_text=_("In UTC."), widget=_DateTimeInput()
    )

    def __init__(self, data: Any = None, *, accounts: QuerySet[ChannelAccount], is_account_needed: bool) -> None:
        super().__init__(data)
        field = self.fields["account"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset, field.required = accounts, is_account_needed

    @staticmethod
    def accounts_of(organizations: Sequence[UUID]) -> QuerySet[ChannelAccount]:
        accounts = ChannelAccount.across_organizations.filter(organization__in=organizations)
        return accounts.select_related("organization").order_by("name")

    @property
    def selection(self) -> Selection:
        said = self.cleaned_data
        return Selection(
            account_id=said["account"] and said["account"].pk,
            error_class=said["kind"] or None,
            error_code=said["error_code"] or None,
            created_before=said["created_before"],
        )
