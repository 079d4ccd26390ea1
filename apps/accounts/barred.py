"""Why an organization accepts nothing new: it is suspended, or has sent what it may send in a month."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from apps.core import clock
from apps.core.months import month_of

SUSPENDED = "organization_suspended"
QUOTA = "monthly_quota_exhausted"
CODES = frozenset({SUSPENDED, QUOTA})


@dataclass(frozen=True, slots=True)
class Bar:
    code: str
    # Whom to ask, and when it goes on by itself.
    detail: str
    # In seconds; None where it does not go on by itself.
    retry_after: float | None = None


def bar(suspended_at: datetime | None, suspend_reason: str, quota_reached_at: datetime | None) -> Bar | None:
    """Of what the organization's row says now: whoever asks has read it in this request."""
    if suspended_at is not None:
        return Bar(SUSPENDED, suspension(suspend_reason))
    if quota_reached_at is None:
        return None
    now = clock.now()
    month = month_of(now)
    if quota_reached_at < month.begins:
        return None
    detail = _(
        "This organization has sent what it may send in a month. It goes on when the next month begins, on "
        "%(day)s (UTC). Ask whoever runs this installation to raise the quota."
    ) % {"day": date_format(month.ends, "DATE_FORMAT")}
    return Bar(QUOTA, detail, (month.ends - now).total_seconds())


def suspension(reason: str) -> str:
    return _(
        "This organization is suspended: %(reason)s. What there is can be read; nothing is changed or sent. Ask "
        "whoever runs this installation to lift it."
    ) % {"reason": reason.rstrip(".")}
