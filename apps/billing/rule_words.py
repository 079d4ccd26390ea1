"""When a rule reminds, as people say it: 10 days before it is due."""

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.billing.models import Anchor, ReminderRule, Unit


def in_words(rule: ReminderRule) -> str:
    first = _moment(rule)
    if not rule.repeat_every or rule.repeat_until is None:
        return first
    return _("%(first)s, then every %(step)s up to %(last)s") % {
        "first": first,
        "step": _span(rule.repeat_every, rule.unit),
        "last": _around(rule.repeat_until, rule.unit),
    }


def _moment(rule: ReminderRule) -> str:
    if rule.offset == 0:
        return {
            Anchor.DUE: _("on the day it is due"),
            Anchor.OVERDUE: _("on the last day to pay in time"),
            Anchor.PAID: _("when it is paid"),
        }[Anchor(rule.anchor)]
    span = {"span": _span(abs(rule.offset), rule.unit)}
    if rule.offset < 0:
        before = {
            Anchor.DUE: _("%(span)s before it is due"),
            Anchor.OVERDUE: _("%(span)s before the last day to pay in time"),
            Anchor.PAID: _("%(span)s before it is paid"),
        }
        return before[Anchor(rule.anchor)] % span
    after = {
        Anchor.DUE: _("%(span)s after it is due"),
        Anchor.OVERDUE: _("%(span)s after the last day to pay in time"),
        Anchor.PAID: _("%(span)s after it is paid"),
    }
    return after[Anchor(rule.anchor)] % span


def _around(offset: int, unit: str) -> str:
    if offset == 0:
        return _("that day")
    text = _("%(span)s before") if offset < 0 else _("%(span)s after")
    return text % {"span": _span(abs(offset), unit)}


def _span(count: int, unit: str) -> str:
    if unit == Unit.HOURS:
        return ngettext("%(count)d hour", "%(count)d hours", count) % {"count": count}
    return ngettext("%(count)d day", "%(count)d days", count) % {"count": count}
