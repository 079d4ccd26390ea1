"""What somebody says before they see what a person told."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from apps.registration.kinds import Kind
from apps.registration.validation.checking import Checked, check
from apps.registration.vault.digests import SEARCHABLE

LONGEST_REASON = 200
_LONGEST_VALUE = 300


def _reason() -> forms.CharField:
    return forms.CharField(
        label=_("Reason"),
        max_length=LONGEST_REASON,
        help_text=_("It is written into the access log, with your name."),
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
    )


class ReasonForm(forms.Form):
    reason = _reason()


class FindForm(forms.Form):
    kind = forms.ChoiceField(
        label=_("By"),
        choices=[(kind.value, kind.label) for kind in Kind if kind in SEARCHABLE],
        widget=UnfoldAdminSelectWidget(),
    )
    value = forms.CharField(
        label=_("What they told, whole"),
        max_length=_LONGEST_VALUE,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    reason = _reason()

    def clean(self) -> dict[str, Any]:
        """As it is kept, however it was typed."""
        cleaned = super().clean() or {}
        if "kind" in cleaned and "value" in cleaned:
            checked = check(Kind(cleaned["kind"]), cleaned["value"])
            if isinstance(checked, Checked):
                cleaned["value"] = checked.value
            else:
                self.add_error("value", checked.detail)
        return cleaned
