"""An account's state in words: one label, why, and what to do about it."""

from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.channels.admin.forms import PREFIX
from apps.channels.liveness import AccountState
from apps.channels.models import ChannelAccount
from apps.channels.registry import connector_class
from apps.core.breaker import BreakerState

STATES = {
    AccountState.REFUSED: gettext_lazy("refused by the provider"),
    AccountState.PAUSED: gettext_lazy("paused"),
    AccountState.FAILING: gettext_lazy("the provider fails"),
    AccountState.DRAINING: gettext_lazy("draining"),
    AccountState.LIVE: gettext_lazy("live"),
}
MOODS = {
    AccountState.REFUSED: "danger",
    AccountState.PAUSED: "warning",
    AccountState.FAILING: "danger",
    AccountState.DRAINING: "info",
    AccountState.LIVE: "success",
}


@dataclass(frozen=True, slots=True)
class Alert:
    """What stands at the top of an account's page when something about it is not as usual."""

    mood: str
    title: str
    # In somebody else's words: the provider's, or those of whoever stopped it.
    said: str = ""
    lines: tuple[str, ...] = ()
    # What to do, and where.
    steps: tuple[tuple[str, str], ...] = ()


def why(account: ChannelAccount, state: AccountState, breaker: BreakerState | None, now: datetime) -> str:
    said = []
    if account.is_paused(now):
        said.append(_until(account.pause_reason, account.paused_until))
    if state is AccountState.FAILING:
        said.append(breaker_words(breaker, now))
    if account.is_draining(now):
        drains = _until(account.drain_reason, account.draining_until)
        said.append(drains if state is AccountState.DRAINING else _("draining: %(why)s") % {"why": drains})
    return " · ".join(said) or "–"


def breaker_words(breaker: BreakerState | None, now: datetime) -> str:
    if breaker is None:
        return _("not known: Redis does not answer")
    if breaker.status == "open" and breaker.opens_until is not None:
        seconds = max(0, round((breaker.opens_until - now).total_seconds()))
        return _("open: the provider failed, and is tried again in %(seconds)d s") % {"seconds": seconds}
    if breaker.status == "half_open":
        return _("half open: one call tries the provider")
    return _("closed: messages leave")


def alert_of(account: ChannelAccount, state: AccountState, now: datetime, *, may_write: bool) -> Alert | None:
    if state is AccountState.LIVE:
        return None
    lines = []
    steps = []
    resume = (_("Resume"), _page(account, "resume_account"))
    if state is AccountState.REFUSED:
        title, said = _("The provider refuses this account, so it paused itself."), account.pause_reason
        lines.append(_("Messages go on being accepted, and wait. To let them leave:"))
        steps = [
            (_("Put new credentials in, and save"), _first_secret(account)),
            (_("Verify"), _page(account, "verify_account")),
            resume,
        ]
    elif state is AccountState.PAUSED:
        title = _("It is paused: messages are accepted, and wait.")
        said = _until(account.pause_reason, account.paused_until)
        steps = [resume]
    elif state is AccountState.FAILING:
        title, said = _("The provider fails, so messages wait."), ""
        lines.append(_("They leave by themselves once it answers again. If it does not, ask the provider."))
        steps = [(_("Verify"), _page(account, "verify_account"))]
    else:
        title = _("It is draining: it sends what it has, and takes no new messages.")
        said = _until(account.drain_reason, account.draining_until)
        steps = [(_("Take new messages again"), resume[1])]
    if account.is_draining(now) and state is not AccountState.DRAINING:
        drains = {"why": _until(account.drain_reason, account.draining_until)}
        lines.insert(0, _("It is draining too, and takes no new messages: %(why)s") % drains)
    if not may_write:
        lines, steps = lines[:1] if state is not AccountState.REFUSED else [], []
    return Alert(MOODS[state], title, said, tuple(lines), tuple(steps))


def _until(reason: str, until: datetime | None) -> str:
    if until is None:
        return reason
    return _("%(reason)s (until %(time)s)") % {"reason": reason, "time": date_format(until, "DATETIME_FORMAT")}


def _page(account: ChannelAccount, name: str) -> str:
    return reverse(f"admin:delivery_channels_channelaccount_{name}", args=[account.pk])


def _first_secret(account: ChannelAccount) -> str:
    """Where new credentials are put in, on the same page."""
    secret = next(each for each in connector_class(account.connector).credentials if each.is_secret)
    return f"#id_{PREFIX}{secret.name}"
