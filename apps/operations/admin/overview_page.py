"""The first page of the admin: how it goes, for the organization one works in, or for the whole installation."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.formats import date_format, number_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.accounts.acting import acting_principal, acting_user
from apps.accounts.roles import Scope
from apps.channels.registry import connector_class
from apps.core import clock
from apps.messaging.admin.words import kind_of_error
from apps.operations import workers
from apps.operations.beat import runs
from apps.operations.overview import Overview, overview
from apps.operations.traffic.read import Period, Point

PERIODS = {
    Period.HOUR: gettext_lazy("Last hour"),
    Period.DAY: gettext_lazy("Last day"),
    Period.WEEK: gettext_lazy("Last week"),
}
# Of the chart, in its own units.
WIDTH, HEIGHT = 960, 200
# Whatever beat runs most often has not run for so long: it is silent.
SILENT = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Bar:
    x: float
    width: float
    # Where they begin, from above, and how high they are.
    sent_from: float
    sent: float
    delivered_from: float
    delivered: float
    failed_from: float
    failed: float
    words: str


def fill_in(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What the admin's first page shows above all; asked for by its template."""
    return context | {"overview": page_of(request)}


def refreshed(request: HttpRequest) -> HttpResponse:
    """The same by itself, which the page asks for while somebody looks at it."""
    return HttpResponse(page_of(request))


def page_of(request: HttpRequest) -> SafeString | str:
    member = acting_principal(request)
    is_superuser = acting_user(request).is_superuser
    if member is None and not is_superuser:
        raise Http404
    if member is not None and not member.may(Scope.MESSAGES_READ):
        return ""
    wanted = request.GET.get("period", "")
    period = Period(wanted) if wanted in set(Period) else Period.HOUR
    found = overview(member.organization.id if member else None, period)
    context = {
        "overview": found,
        "periods": PERIODS.items(),
        "figures": _figures(found),
        "bars": _bars(found.points),
        "highest": _highest(found.points),
        "width": WIDTH,
        "height": HEIGHT,
        "dead_letters": [(kind_of_error(name), count) for name, count in found.dead_letters.items()],
        "accounts": [
            (row, connector_class(row.connector).label, _seconds(row.p95), _age(row.oldest_due_at, found.now))
            for row in found.accounts
        ],
        "system": _system() if is_superuser else None,
    }
    return render_to_string("operations/admin/overview.html", context, request)


def _figures(found: Overview) -> list[tuple[str, str, bool]]:
    """What it is, how much, and whether that is bad."""
    rate = found.delivery_rate
    waits = _age(found.oldest_due_at, found.now)
    is_late = found.oldest_due_at is not None and found.now - found.oldest_due_at > SILENT
    dead = sum(found.dead_letters.values())
    return [
        (_("Messages a minute"), _number(found.per_minute, 1), False),
        (_("Delivered of those sent"), "–" if rate is None else f"{_number(100 * rate, 1)} %", False),
        (_("Half of them leave within"), _seconds(found.p50), False),
        (_("95 of 100 leave within"), _seconds(found.p95), False),
        (_("Waiting"), _number(found.waiting), False),
        (_("The oldest waits for"), waits, is_late),
        (_("Open dead letters"), _number(dead), dead > 0),
        (_("Paused accounts"), _number(found.paused), found.paused > 0),
    ]


def _age(since: datetime | None, now: datetime) -> str:
    return "–" if since is None else _seconds(max(0.0, (now - since).total_seconds()))


def _seconds(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    if seconds == float("inf"):
        return _("more than 5 min")
    if seconds < 1:
        return f"{_number(seconds * 1000)} ms"
    if seconds < 60:
        return f"{_number(seconds, 1)} s"
    if seconds < 3600:
        return f"{_number(seconds / 60)} min"
    return f"{_number(seconds / 3600, 1)} h"


def _number(value: float, decimals: int = 0) -> str:
    return number_format(round(value, decimals) if decimals else round(value), use_l10n=True, force_grouping=True)


def _highest(points: list[Point]) -> int:
    return max((max(each.sums.sent, each.sums.delivered) + each.sums.failed for each in points), default=0)


def _bars(points: list[Point]) -> list[Bar]:
    highest, step = max(1, _highest(points)), WIDTH / len(points)
    return [
        Bar(
            x=n * step,
            width=step * 0.8,
            sent_from=HEIGHT - (sent := HEIGHT * each.sums.sent / highest),
            sent=sent,
            delivered_from=HEIGHT - (delivered := HEIGHT * each.sums.delivered / highest),
            delivered=delivered,
            # On top of whichever is higher.
            failed_from=HEIGHT - max(sent, delivered) - (failed := HEIGHT * each.sums.failed / highest),
            failed=failed,
            words=_("%(time)s: %(sent)s sent, %(delivered)s delivered, %(failed)s failed")
            % {
                "time": date_format(each.starts_at, "SHORT_DATETIME_FORMAT"),
                "sent": _number(each.sums.sent),
                "delivered": _number(each.sums.delivered),
                "failed": _number(each.sums.failed),
            },
        )
        for n, each in enumerate(points)
    ]


def _system() -> list[tuple[str, str, bool, str]]:
    """Of the installation: who works, and whether the clock ticks; and where each is looked at more closely."""
    names = workers.alive()
    told = _("Redis does not answer") if names is None else ", ".join(names) or _("none")
    ran = runs.beat_ran_at()
    is_silent = ran is None or clock.now() - ran > SILENT
    return [
        (
            ngettext("%(count)d worker", "%(count)d workers", len(names or ())) % {"count": len(names or ())},
            told,
            not names,
            reverse("flower") if settings.FLOWER_URL else "",
        ),
        (
            _("Beat ran last"),
            _("never") if ran is None else date_format(ran, "DATETIME_FORMAT"),
            is_silent,
            reverse("admin:django_celery_beat_periodictask_changelist"),
        ),
    ]
