"""What is done with an account from its page: hold it back, let it go on, and ask whether all is well."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action

from apps.accounts.acting import principal_for
from apps.accounts.admin.base import TenantAdmin
from apps.channels import accounts
from apps.channels.admin.forms import PauseForm, ResumeForm
from apps.channels.errors import SendFailed
from apps.channels.models import ChannelAccount
from apps.channels.outbound import check_callback, connect, verify
from apps.channels.reachability import Finding
from apps.core import clock


class AccountActions(TenantAdmin[ChannelAccount]):
    # What tries an account out. Other apps add to it, by `add_check`.
    checks: ClassVar[list[str]] = ["verify_account", "connect_account", "check_callback"]
    actions_detail: ClassVar[list[Any]] = [
        "pause_account",
        "drain_account",
        "resume_account",
        {"title": gettext_lazy("Check"), "items": checks},
    ]

    @classmethod
    def add_check(cls, check: Callable[..., HttpResponseBase]) -> None:
        setattr(cls, check.__name__, check)
        cls.checks.append(check.__name__)

    @action(description=gettext_lazy("Pause"), permissions=["write"], url_path="pause")
    def pause_account(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        account = self.get_one(request, object_id)
        form = PauseForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            accounts.pause(principal_for(request, account.organization), account, **form.cleaned_data)
            messages.success(request, _("%(account)s is paused.") % {"account": account})
            return redirect(self.address_of(account))
        explanation = _("Messages go on being accepted, and wait. Those that are at the provider already arrive.")
        if account.is_draining(clock.now()):
            explanation = _(
                "It is draining, and goes on taking no new messages. Those it has wait until it is resumed."
            )
        return self.confirm(request, account, _("Pause"), explanation, form=form)

    @action(description=gettext_lazy("Drain"), permissions=["write"], url_path="drain")
    def drain_account(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        account = self.get_one(request, object_id)
        form = PauseForm(
            request.POST if request.method == "POST" else None,
            without_end=_("In UTC. Without it, the account takes nothing new until somebody resumes it."),
        )
        if form.is_valid():
            accounts.drain(principal_for(request, account.organization), account, **form.cleaned_data)
            messages.success(request, _("%(account)s is draining.") % {"account": account})
            return redirect(self.address_of(account))
        explanation = _(
            "New messages are refused, by the API too, with this reason. Those that wait still leave, and "
            "people's answers still come in. Its page says when nothing waits any more."
        )
        if account.is_paused(clock.now()):
            explanation = _(
                "New messages are refused, by the API too, with this reason. It stays paused, so those that wait "
                "leave only once it is resumed."
            )
        return self.confirm(request, account, _("Drain"), explanation, form=form)

    @action(description=gettext_lazy("Resume"), permissions=["write"], url_path="resume")
    def resume_account(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        account, now = self.get_one(request, object_id), clock.now()
        is_both = account.is_paused(now) and account.is_draining(now)
        data = request.POST if request.method == "POST" else None
        form = ResumeForm(data) if is_both else Form(data)
        if form.is_valid():
            accounts.resume(principal_for(request, account.organization), account, **form.cleaned_data)
            messages.success(request, _("%(account)s goes on.") % {"account": account})
            return redirect(self.address_of(account))
        explanation = _("What waits leaves at once, as fast as the limits allow.")
        if account.is_draining(now) and not is_both:
            explanation = _("It takes new messages again, and what waits leaves as fast as the limits allow.")
        return self.confirm(request, account, _("Resume"), explanation, variant="primary", form=form)

    @action(description=gettext_lazy("Verify"), permissions=["write"], url_path="verify")
    def verify_account(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        account = self.get_one(request, object_id)
        if request.method == "POST":
            return self._guarded(self._verify, request, account)
        explanation = _("The provider is asked whether it takes the credentials. Nothing is sent.")
        return self.confirm(request, account, _("Verify"), explanation, variant="primary")

    def _verify(self, request: HttpRequest, account: ChannelAccount) -> HttpResponseBase:
        failed = verify(account).error
        if failed is None:
            messages.success(
                request, _("The provider takes the credentials of %(account)s.") % {"account": account}
            )
            if account.is_paused(clock.now()):
                messages.info(request, _("It is still paused. Resume it, and what waits leaves."))
        else:
            self._say_failed(request, account, failed)
        return redirect(self.address_of(account))

    def _say_failed(self, request: HttpRequest, account: ChannelAccount, failed: SendFailed) -> None:
        said = {"account": account, "error": f"{failed.name} {failed}"}
        messages.error(request, _("%(account)s does not pass: %(error)s") % said)

    @action(description=gettext_lazy("Connect"), permissions=["write"], url_path="connect")
    def connect_account(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        account = self.get_one(request, object_id)
        if request.method == "POST":
            return self._guarded(self._connect, request, account)
        explanation = _("The provider is told to call %(url)s.") % {"url": account.callback_url}
        return self.confirm(request, account, _("Connect"), explanation, variant="primary")

    def _connect(self, request: HttpRequest, account: ChannelAccount) -> HttpResponseBase:
        said = connect(account)
        if said.error is not None:
            self._say_failed(request, account, said.error)
        elif said.is_called_back:
            messages.success(request, _("The provider calls %(url)s now.") % {"url": account.callback_url})
        else:
            where = {"url": account.callback_url}
            messages.info(request, _("This provider is told by hand: paste %(url)s there.") % where)
        return redirect(self.address_of(account))

    @action(
        description=gettext_lazy("Check that providers reach us"),
        permissions=["write"],
        url_path="check-callback",
    )
    def check_callback(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        account = self.get_one(request, object_id)
        if request.method == "POST":
            return self._guarded(self._check_callback, request, account)
        explanation = _(
            "Recado calls its own address %(url)s, by the name that the provider knows, and sees whether it was "
            "itself that answered. Nothing is sent to the provider."
        ) % {"url": account.callback_url or "–"}
        verb = _("Check that providers reach us")
        return self.confirm(request, account, verb, explanation, variant="primary")

    def _check_callback(self, request: HttpRequest, account: ChannelAccount) -> HttpResponseBase:
        checked = check_callback(account)
        say = messages.success if checked.finding is Finding.REACHABLE else messages.error
        if checked.finding in {Finding.PRIVATE_NETWORK, Finding.NO_CALLBACK}:
            say = messages.warning
        say(request, checked.detail)
        return redirect(self.address_of(account))
