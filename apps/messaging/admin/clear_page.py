"""Have all dead letters tried again that are alike, or discard them: which, how many they are, then how."""

from datetime import MAXYEAR, datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from apps.accounts.acting import acting_principal, organizations_of, principal_for
from apps.accounts.admin.long_tables.filters import UNTIL
from apps.accounts.principal import Principal
from apps.channels.models import ChannelAccount
from apps.messaging.admin.dead_letter_filters import FAILED_AGAIN, UNTOUCHED
from apps.messaging.admin.words import KINDS_OF_ERROR
from apps.messaging.dead_letters import clearings
from apps.messaging.dead_letters.by_hand import LONGEST_REASON
from apps.messaging.dead_letters.selection import Selection
from apps.messaging.models import ClearingAction

_ANY = ("", gettext_lazy("any"))


class _Moment(UnfoldAdminTextInputWidget):  # type: ignore[misc]
    input_type = "datetime-local"


class WhichForm(forms.Form):
    """What is left empty does not matter."""

    action = forms.ChoiceField(choices=ClearingAction.choices, widget=forms.HiddenInput())
    # Whether an empty code means those without one: so the list of causes has it.
    exact = forms.BooleanField(required=False, widget=forms.HiddenInput())
    account: forms.ModelChoiceField[ChannelAccount] = forms.ModelChoiceField(
        label=gettext_lazy("Channel account"),
        queryset=ChannelAccount.across_organizations.none(),
        required=False,
        empty_label=_ANY[1],
        widget=UnfoldAdminSelectWidget(),
    )
    kind = forms.ChoiceField(
        label=gettext_lazy("Kind of error"),
        required=False,
        choices=[_ANY, *KINDS_OF_ERROR.items()],
        widget=UnfoldAdminSelectWidget(),
    )
    error_code = forms.CharField(
        label=gettext_lazy("Provider's code"), required=False, max_length=60, widget=UnfoldAdminTextInputWidget()
    )
    failed_again = forms.ChoiceField(
        label=gettext_lazy("Tried again before"),
        required=False,
        choices=[
            _ANY,
            ("no", gettext_lazy("no, nobody has touched them")),
            ("yes", gettext_lazy("yes, they failed again")),
        ],
        widget=UnfoldAdminSelectWidget(),
    )
    created_before = forms.DateTimeField(
        label=gettext_lazy("Failed before"),
        required=False,
        help_text=gettext_lazy("In UTC."),
        widget=_Moment({"step": "any"}),
    )

    def __init__(self, data: Any, request: HttpRequest) -> None:
        super().__init__({"action": ClearingAction.REPLAY, **data})
        field = self.fields["account"]
        assert isinstance(field, forms.ModelChoiceField)
        accounts = ChannelAccount.across_organizations.filter(organization__in=organizations_of(request))
        field.queryset = accounts.select_related("organization").order_by("name")
        # For whoever works on all organizations, the account says in which one.
        field.required = acting_principal(request) is None

    def clean_created_before(self) -> datetime | None:
        """A time within a day of the ends of all times has no place in every zone."""
        moment: datetime | None = self.cleaned_data["created_before"]
        if moment is not None and not 1 < moment.year < MAXYEAR:
            raise forms.ValidationError(_("No dead letter is of that time."))
        return moment

    @property
    def selection(self) -> Selection:
        said = self.cleaned_data
        code = said["error_code"]
        return Selection(
            account_id=said["account"] and said["account"].pk,
            error_class=said["kind"] or None,
            error_code=code if code or said["exact"] else None,
            created_before=said["created_before"],
            failed_again={"yes": True, "no": False}.get(said["failed_again"]),
        )


class HowForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("Reason"), max_length=LONGEST_REASON, widget=UnfoldAdminTextInputWidget()
    )
    per_second = forms.IntegerField(
        label=gettext_lazy("At most, a second"),
        min_value=1,
        max_value=clearings.FASTEST,
        initial=clearings.USUAL_RATE,
        help_text=gettext_lazy("They leave behind new messages, and no faster than their account may send."),
        widget=UnfoldAdminIntegerFieldWidget(),
    )

    def __init__(self, data: Any, action: ClearingAction) -> None:
        super().__init__(data)
        if action == ClearingAction.REPLAY:
            del self.fields["reason"]


def clear_page(request: HttpRequest, context: dict[str, Any]) -> HttpResponseBase:
    which = WhichForm(request.GET.dict(), request)
    is_known = which.is_valid()
    action = ClearingAction(which.cleaned_data["action"]) if is_known else ClearingAction.REPLAY
    verb = _("Discard") if action == ClearingAction.DISCARD else _("Try again")
    context |= {
        "which": which,
        "title": _("%(verb)s: all that are alike") % {"verb": verb},
        "back": reverse("admin:messaging_deadletter_changelist"),
    }
    if is_known:
        principal = _principal(request, which)
        how = HowForm(request.POST if request.method == "POST" else None, action)
        if how.is_valid():
            clearing = clearings.start(principal, action, which.selection, **how.cleaned_data)
            messages.success(request, _("It goes on by itself. You can leave this page."))
            return redirect("admin:messaging_clearing_change", clearing.pk)
        count = clearings.count(principal, which.selection)
        context |= {
            "how": how,
            "count": count,
            "button": _button(action, count),
            "is_discard": action == ClearingAction.DISCARD,
        }
    return TemplateResponse(request, "messaging/admin/clear.html", context)


def asked_for(request: HttpRequest) -> str:
    """What the list of dead letters is filtered by, for the page's own form."""
    said = {
        "account": request.GET.get("account", ""),
        "kind": request.GET.get("error", ""),
        "error_code": request.GET.get("code", ""),
        "failed_again": {FAILED_AGAIN: "yes", UNTOUCHED: "no"}.get(request.GET.get("state", ""), ""),
        "created_before": request.GET.get(UNTIL, ""),
    }
    return urlencode({name: value for name, value in said.items() if value})


def _button(action: ClearingAction, count: int) -> str:
    """Names what will happen."""
    if action == ClearingAction.DISCARD:
        words = ngettext("Discard %(count)d dead letter", "Discard %(count)d dead letters", count)
    else:
        words = ngettext("Try %(count)d message again", "Try %(count)d messages again", count)
    return words % {"count": count}


def _principal(request: HttpRequest, which: WhichForm) -> Principal:
    member = acting_principal(request)
    return member or principal_for(request, which.cleaned_data["account"].organization)
