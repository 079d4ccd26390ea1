"""Minutes are kept for a day, hours for a quarter of a year, and days for as long as there is an account."""

from datetime import timedelta

from apps.core import clock
from apps.operations.models import Span, Traffic

KEPT = {Span.MINUTE: timedelta(days=1), Span.HOUR: timedelta(days=92)}
AT_ONCE = 5_000
MOST_BATCHES = 200


def forget_old() -> int:
    return sum(_forget(span, kept) for span, kept in KEPT.items())


def _forget(span: Span, kept: timedelta) -> int:
    old = Traffic.across_organizations.filter(span=span, starts_at__lt=clock.now() - kept).order_by("starts_at")
    forgotten = 0
    for _ in range(MOST_BATCHES):
        count, _each = Traffic.across_organizations.filter(
            pk__in=list(old.values_list("pk", flat=True)[:AT_ONCE])
        ).delete()
        forgotten += count
        if count < AT_ONCE:
            break
    return forgotten
