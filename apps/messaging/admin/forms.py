from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from apps.messaging.dead_letters.by_hand import LONGEST_REASON


class DiscardForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), max_length=LONGEST_REASON, widget=UnfoldAdminTextInputWidget())
