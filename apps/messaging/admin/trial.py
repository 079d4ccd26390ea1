"""A message to oneself, to see that a channel account works: one more action of its page.

It goes the way of all messages. Programs do the same with POST /v1/messages.
"""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from apps.accounts import audit
from apps.accounts.acting import principal_for
from apps.accounts.principal import Principal
from apps.accounts.roles import Scope
from apps.channels import addresses
from apps.channels.admin.channel_account import ChannelAccountAdmin
from apps.channels.capabilities import AddressKind
from apps.channels.content import Content
from apps.channels.models import ChannelAccount
from apps.channels.registry import connector_class
from apps.core import clock
from apps.messaging.engine.accept import accept
from apps.messaging.engine.new_message import Accepted, NewMessage, Refused
from apps.messaging.statuses import Priority

_WHERE = {
    AddressKind.PHONE: gettext_lazy("A phone number in international form, such as +5511912345678."),
    AddressKind.INSTAGRAM_ID: gettext_lazy("The id of a person on Instagram: it comes with what they wrote."),
    AddressKind.TELEGRAM_CHAT: gettext_lazy("The id of a Telegram chat, a number: it comes with what they wrote."),
    AddressKind.EMAIL: gettext_lazy("An e-mail address."),
    AddressKind.URL: gettext_lazy("A URL that takes the call: https and a public host."),
}


class TrialForm(forms.Form):
    to = forms.CharField(
        label=gettext_lazy("To"), max_length=addresses.LONGEST, widget=UnfoldAdminTextInputWidget()
    )
    text = forms.CharField(label=gettext_lazy("Text"), widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}))

    def __init__(self, account: ChannelAccount, data: Any = None) -> None:
        said = _("This is a test from Recado. If you can read it, %(account)s works.") % {"account": account.name}
        super().__init__(data, initial={"text": said})
        capabilities = connector_class(account.connector).capabilities
        self._kind = capabilities.address
        self.fields["to"].help_text = str(_WHERE[self._kind])
        if capabilities.reply_window is not None and account.keeps_reply_window:
            hours = int(capabilities.reply_window.total_seconds() // 3600)
            self.fields["to"].help_text += " " + _(
                "On this channel they must have written within the last %(hours)d hours."
            ) % {"hours": hours}

    def clean_to(self) -> str:
        to = addresses.normalized(self.cleaned_data["to"])
        if not addresses.is_possible(self._kind, to):
            raise forms.ValidationError(addresses.what_is_wrong(self._kind))
        return to


@action(description=gettext_lazy("Send a test message"), permissions=["write"], url_path="test-message")
def send_test_message(admin: ChannelAccountAdmin, request: HttpRequest, object_id: str) -> HttpResponseBase:
    account = admin.get_one(request, object_id)
    principal = principal_for(request, account.organization)
    if not principal.may(Scope.MESSAGES_WRITE):
        raise PermissionDenied
    form = TrialForm(account, request.POST if request.method == "POST" else None)
    if form.is_valid():
        answer = _send(principal, account, form.cleaned_data["to"], form.cleaned_data["text"])
        if isinstance(answer, Accepted):
            messages.success(request, _("The test is on its way. This page tells what becomes of it; reload it."))
            return redirect("admin:messaging_message_change", answer.id)
        form.add_error("to" if answer.field == "to" else "text", answer.detail)
    explanation = _("One message leaves over this account, before all others that wait, with this text.")
    if account.is_paused(clock.now()):
        explanation = _("The account is paused: the test is accepted, and leaves once the account is resumed.")
    return admin.confirm(request, account, _("Send a test message"), explanation, variant="primary", form=form)


def _send(principal: Principal, account: ChannelAccount, to: str, text: str) -> Accepted | Refused:
    has_subject = connector_class(account.connector).capabilities.has_subject
    message = NewMessage(
        text=text,
        account_id=account.pk,
        to=to,
        content=Content(text, subject=_("Test message")) if has_subject else None,
        priority=Priority.HIGH,
        metadata={"test": True},
    )
    (answer,) = accept(principal.organization, [message])
    if isinstance(answer, Accepted):
        audit.record(
            principal.actor,
            "channel_account.tested",
            account,
            organization=principal.organization,
            changes={"message_id": (None, answer.id)},
        )
    return answer


ChannelAccountAdmin.add_check(send_test_message)
