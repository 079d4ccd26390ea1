"""What is not kept for ever: words of messages that carried personal data, and people whose time is over."""

from datetime import timedelta

from django.db import transaction
from django.db.models import DateTimeField, DurationField, ExpressionWrapper, F, Func, Value
from django.db.models.expressions import Combinable

from apps.core import clock
from apps.messaging import redaction
from apps.registration.models import Registration, Turn
from apps.registration.vault import people

AT_ONCE = 100
MOST_PEOPLE = 1_000
# For longer nobody applies the same registration a second time.
APPLIED_FOR = timedelta(days=90)


def forget() -> dict[str, int]:
    redacted = 0
    while count := _redact_some():
        redacted += count
    now = clock.now()
    erased = people.forget_expired(now, MOST_PEOPLE)
    people.forget_applied(now - APPLIED_FOR, MOST_PEOPLE)
    return {"registrations_redacted": redacted, "people_erased": len(erased)}


@transaction.atomic
def _redact_some() -> int:
    """Registrations that ended long enough ago: what people wrote in them, and what was understood of it."""
    over = (
        Registration.across_organizations.filter(
            ended_at__isnull=False, redacted_at=None, flow__redact_after__isnull=False
        )
        .alias(until=_until())
        .filter(until__lte=clock.now())
        .order_by("ended_at")
    )
    found = list(over.select_for_update(skip_locked=True, no_key=True, of=("self",))[:AT_ONCE])
    turns = Turn.across_organizations.filter(registration__in=found)
    redaction.redact([message for message in turns.values_list("message_id", flat=True) if message is not None])
    turns.delete()
    ids = [registration.pk for registration in found]
    Registration.across_organizations.filter(pk__in=ids).update(redacted_at=clock.now(), opening="")
    return len(found)


def _until() -> Combinable:
    nothing = Value(0)
    days = Func(nothing, nothing, nothing, F("flow__redact_after"), function="make_interval",
                output_field=DurationField())  # fmt: skip
    return ExpressionWrapper(F("ended_at") + days, output_field=DateTimeField())
