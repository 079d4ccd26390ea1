"""What is not kept for ever: words of messages that carried personal data, and people whose time is over."""

from datetime import timedelta

from django.db import transaction
from django.db.models import DateTimeField, DurationField, ExpressionWrapper, F, Func, Q, Value
from django.db.models.expressions import Combinable

from apps.core import clock
from apps.messaging import redaction
from apps.registration.models import Registration, Turn
from apps.registration.vault import people

AT_ONCE = 100
# The others are for the next time.
MOST_REGISTRATIONS = 10_000
MOST_PEOPLE = 1_000
# For longer nobody applies the same registration a second time.
APPLIED_FOR = timedelta(days=90)


def forget() -> dict[str, int]:
    redacted = _redact()
    now = clock.now()
    erased = people.forget_expired(now, MOST_PEOPLE)
    people.forget_applied(now - APPLIED_FOR, MOST_PEOPLE)
    return {"registrations_redacted": redacted, "people_erased": len(erased)}


def _redact() -> int:
    """How many say nothing any more. Where something is still under way, the rest of it goes another time."""
    redacted = 0
    latest: Registration | None = None
    for _ in range(MOST_REGISTRATIONS // AT_ONCE):
        count, latest = _redact_some(after=latest)
        redacted += count
        if latest is None:
            break
    return redacted


@transaction.atomic
def _redact_some(*, after: Registration | None) -> tuple[int, Registration | None]:
    """Registrations that ended long enough ago: what people wrote in them, and what was understood of it.

    How many are done, and the last that was looked at.
    """
    over = (
        Registration.across_organizations.filter(
            _ended_after(after), ended_at__isnull=False, redacted_at=None, flow__redact_after__isnull=False
        )
        .alias(until=_until())
        .filter(until__lte=clock.now())
        .order_by("ended_at", "pk")
    )
    found = list(over.select_for_update(skip_locked=True, no_key=True, of=("self",))[:AT_ONCE])
    if not found:
        return 0, None
    turns = Turn.across_organizations.filter(registration__in=found)
    heard = turns.filter(message_id__isnull=False)
    silent = redaction.redact([message for message in heard.values_list("message_id", flat=True) if message])
    heard.filter(message_id__in=silent).delete()
    speaking = set(heard.values_list("registration", flat=True))
    done = [registration.pk for registration in found if registration.pk not in speaking]
    turns.filter(registration__in=done).delete()
    Registration.across_organizations.filter(pk__in=done).update(redacted_at=clock.now(), opening="")
    return len(done), found[-1]


def _ended_after(other: Registration | None) -> Q:
    if other is None:
        return Q()
    return Q(ended_at__gt=other.ended_at) | Q(ended_at=other.ended_at, pk__gt=other.pk)


def _until() -> Combinable:
    nothing = Value(0)
    days = Func(nothing, nothing, nothing, F("flow__redact_after"), function="make_interval",
                output_field=DurationField())  # fmt: skip
    return ExpressionWrapper(F("ended_at") + days, output_field=DateTimeField())
