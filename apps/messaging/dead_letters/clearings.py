"""Try again, or discard, all dead letters that are alike: begin it, hold it, end it. step.py carries it out."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Count
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework.exceptions import NotFound

from apps.accounts import audit
from apps.accounts.principal import Principal
from apps.core import clock
from apps.core.api.problems import Conflict, field_error
from apps.messaging.dead_letters.allowed import check_sends
from apps.messaging.dead_letters.selection import Selection
from apps.messaging.models import Clearing, ClearingAction, ClearingState, DeadLetter, DeadLetterState
from apps.messaging.models.clearing import UNFINISHED

USUAL_RATE, FASTEST = 50, 1000
MOST_UNFINISHED = 20


class NothingToClear(Conflict):
    default_code = "nothing_to_clear"
    default_detail = gettext_lazy("No open dead letter matches. They may have been dealt with meanwhile.")


class TooManyClearings(Conflict):
    default_code = "too_many_clearings"
    default_detail = gettext_lazy("Twenty clearings are not finished. Wait for them, or cancel one.")


class ClearingEnded(Conflict):
    default_code = "clearing_ended"
    default_detail = gettext_lazy("It is finished, or was cancelled.")


def count(principal: Principal, selection: Selection) -> int:
    return selection.of(principal.organization).count()


@transaction.atomic
def start(
    principal: Principal,
    action: ClearingAction,
    selection: Selection,
    *,
    reason: str = "",
    per_second: int = USUAL_RATE,
) -> Clearing:
    """Of those that are open at this moment; what fails from now on is not meant."""
    if action == ClearingAction.DISCARD and not reason.strip():
        raise field_error("reason", "required", _("Say why nobody needs to look at them any more."))
    if action == ClearingAction.REPLAY:
        check_sends(principal.organization)
    clearings = Clearing.objects.for_organization(principal.organization)
    if clearings.filter(state__in=UNFINISHED).count() >= MOST_UNFINISHED:
        raise TooManyClearings
    matched = count(principal, selection)
    if not matched:
        raise NothingToClear
    now = clock.now()
    clearing = Clearing.across_organizations.create(
        organization=principal.organization,
        action=action,
        account_id=selection.account_id,
        error_class=selection.error_class,
        error_code=selection.error_code,
        created_before=selection.created_before,
        failed_again=selection.failed_again,
        reason=reason.strip(),
        per_second=per_second,
        matched=matched,
        # The first second's worth leaves with the next look.
        worked_at=now - timedelta(seconds=1),
        started_by=principal.actor.label,
        created_at=_database_time(),
    )
    said = {"action": (None, action), "matched": (None, matched), "per_second": (None, per_second)}
    _record(principal, clearing, "started", {**said, **selection.in_words()})
    return clearing


def _database_time() -> datetime:
    """By the clock that says when a letter was last changed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT now()")
        (moment,) = cursor.fetchone()
    assert isinstance(moment, datetime)
    return moment


@transaction.atomic
def pause(principal: Principal, clearing: Clearing) -> Clearing:
    """Those that had their turn are tried on; no other gets one."""
    return _turn(principal, clearing, ClearingState.PAUSED, "paused")


@transaction.atomic
def resume(principal: Principal, clearing: Clearing) -> Clearing:
    if clearing.action == ClearingAction.REPLAY:
        check_sends(principal.organization)
    return _turn(principal, clearing, ClearingState.RUNNING, "resumed")


@transaction.atomic
def cancel(principal: Principal, clearing: Clearing) -> Clearing:
    """What was done stays done; the rest stays as it is."""
    return _turn(principal, clearing, ClearingState.CANCELLED, "cancelled")


def _turn(principal: Principal, clearing: Clearing, state: ClearingState, verb: str) -> Clearing:
    rows = Clearing.objects.for_organization(principal.organization).select_related("account")
    found = rows.filter(pk=clearing.pk).select_for_update(of=("self",)).first()
    if found is None:
        raise NotFound
    if found.state not in UNFINISHED:
        raise ClearingEnded
    if found.state != state:
        before, now = found.state, clock.now()
        found.state, found.worked_at = state, now
        found.ended_at = now if state == ClearingState.CANCELLED else None
        found.save(update_fields=["state", "worked_at", "ended_at"])
        _record(principal, found, verb, {"state": (before, state), "done": (None, found.done)})
    return found


def _record(principal: Principal, clearing: Clearing, verb: str, changes: dict[str, Any]) -> None:
    audit.record(
        principal.actor, f"clearing.{verb}", clearing, organization=principal.organization, changes=changes
    )


@dataclass(frozen=True, slots=True)
class Results:
    """What became of those that had their turn. One that was tried again by hand since is nobody's here."""

    under_way: int = 0
    sent: int = 0
    failed_again: int = 0
    discarded: int = 0


def results(clearing: Clearing) -> Results:
    letters = DeadLetter.across_organizations.filter(
        organization=clearing.organization_id, clearing_id=clearing.pk
    )
    by_state = Counter(dict(letters.values_list("state").annotate(Count("pk"))))
    return Results(
        under_way=by_state[DeadLetterState.REPLAYING],
        sent=by_state[DeadLetterState.RESOLVED],
        failed_again=by_state[DeadLetterState.OPEN],
        discarded=by_state[DeadLetterState.DISCARDED],
    )
