"""Forms about channel accounts. What is secret goes in and never comes out."""

from collections.abc import Callable
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework.exceptions import ValidationError
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextInputWidget, UnfoldBooleanWidget

from apps.accounts.models import Organization
from apps.channels.accounts import CHANGEABLE, NameTaken
from apps.channels.capabilities import CredentialField
from apps.channels.connector import Connector
from apps.channels.models import ChannelAccount
from apps.channels.registry import connector_class
from apps.channels.rules import LONGEST_CREDENTIAL, check_credentials, check_limits
from apps.core import clock

PREFIX = "credential_"
LIMITS = ["rate_per_second", "burst", "recipient_rate_per_second", "recipient_burst", "daily_quota"]


class ChannelAccountForm(forms.ModelForm[ChannelAccount]):
    """Has one more field for each credential of the connector; see `form_for`."""

    connector_name: ClassVar[str]
    kind: ClassVar[type[Connector]]
    # Whose accounts these are, where the form does not ask; set by the admin.
    acting_organization: ClassVar[Organization | None] = None

    class Meta:
        model = ChannelAccount
        fields = ["organization", *CHANGEABLE]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, value in self._stored(public=True).items():
            if PREFIX + name in self.fields:
                self.fields[PREFIX + name].initial = value

    @property
    def entered(self) -> dict[str, str]:
        """The credentials that somebody filled in; a secret that was left empty stays as it is."""
        values = {field: self.cleaned_data.get(PREFIX + field.name, "") for field in self.kind.credentials}
        return {field.name: value for field, value in values.items() if value or not field.is_secret}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not any(name.startswith(PREFIX) for name in self.errors):
            given = {**self._stored(), **self.entered}
            self._report(lambda: check_credentials(self.kind, given))
        if not any(name in self.errors for name in LIMITS):
            limits = {name: cleaned.get(name) for name in LIMITS}
            self._report(lambda: check_limits(ChannelAccount(**limits)))
        if self._is_taken(cleaned.get("name"), cleaned.get("organization") or self.acting_organization):
            self.add_error("name", str(NameTaken.default_detail))
        return cleaned

    def _stored(self, *, public: bool = False) -> dict[str, str]:
        if self.instance._state.adding:
            return {}
        return dict(self.instance.public_credentials if public else self.instance.credential_values)

    def _is_taken(self, name: str | None, organization: Organization | None) -> bool:
        if not name or organization is None:
            return False
        others = ChannelAccount.objects.for_organization(organization).exclude(pk=self.instance.pk)
        return others.filter(name=name).exists()

    def _report(self, check: Callable[[], object]) -> None:
        """What the API answers about a field is said at that field."""
        try:
            check()
        except ValidationError as refused:
            said = refused.detail if isinstance(refused.detail, dict) else {}
            for pointer, errors in said.items():
                self.add_error(pointer.replace("credentials/", PREFIX), [str(error) for error in errors])


def form_for(
    connector: str, *, is_new: bool, acting_organization: Organization | None
) -> type[ChannelAccountForm]:
    kind = connector_class(connector)
    fields = {PREFIX + each.name: _credential_input(each, is_new=is_new) for each in kind.credentials}
    about = {"connector_name": connector, "kind": kind, "acting_organization": acting_organization}
    return type("ChannelAccountForm", (ChannelAccountForm,), {**fields, **about})


def _credential_input(credential: CredentialField, *, is_new: bool) -> forms.CharField:
    hint = str(credential.hint)
    if credential.is_secret and not is_new:
        hint = _("%(hint)s Leave it empty to keep the one there is.") % {"hint": hint}
    widget = UnfoldAdminPasswordWidget if credential.is_secret else UnfoldAdminTextInputWidget
    return forms.CharField(
        label=credential.name,
        help_text=hint,
        required=credential.is_required and (is_new or not credential.is_secret),
        max_length=LONGEST_CREDENTIAL,
        # Browsers would otherwise offer, or fill in, the person's own password.
        widget=widget(attrs={"autocomplete": "new-password" if credential.is_secret else "off"}),
    )


class _DateTimeInput(UnfoldAdminTextInputWidget):  # type: ignore[misc]
    input_type = "datetime-local"


class PauseForm(forms.Form):
    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=500, widget=UnfoldAdminTextInputWidget())
    until = forms.DateTimeField(
        label=gettext_lazy("Until"),
        required=False,
        help_text=gettext_lazy("In UTC. Without it, the account stays paused until somebody resumes it."),
        widget=_DateTimeInput(),
    )

    def __init__(self, data: Any = None, *, without_end: str = "") -> None:
        super().__init__(data)
        if without_end:
            self.fields["until"].help_text = without_end

    def clean_until(self) -> Any:
        until = self.cleaned_data["until"]
        if until is not None and until <= clock.now():
            raise forms.ValidationError(_("This is in the past."))
        return until


class ResumeForm(forms.Form):
    """Of an account that is paused and draining: both can end, or the pause alone."""

    keep_draining = forms.BooleanField(
        label=gettext_lazy("Go on draining: send what waits, take nothing new"),
        required=False,
        initial=True,
        widget=UnfoldBooleanWidget(),
    )
