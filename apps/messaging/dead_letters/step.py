"""Carry clearings out, a little every few seconds: a step is one transaction, and knows where the last ended."""

from datetime import timedelta
from uuid import UUID

import structlog
from django.db import transaction

from apps.accounts import audit
from apps.accounts.principal import SYSTEM
from apps.core import clock
from apps.core.deadlocks import tried_again
from apps.messaging.dead_letters.selection import Selection
from apps.messaging.engine import replay as engine
from apps.messaging.models import Clearing, ClearingAction, ClearingState
from apps.messaging.statuses import Priority

logger = structlog.get_logger(__name__)

# Whatever kept it from working, it does not make up for more than this.
LONGEST_CATCH_UP = timedelta(seconds=5)
MOST_AT_ONCE = 2000
CLEARINGS_AT_ONCE = 100


def go_on() -> int:
    """How many dead letters had their turn. Those of a suspended organization wait until that is lifted."""
    running = Clearing.across_organizations.filter(
        state=ClearingState.RUNNING, organization__suspended_at__isnull=True
    )
    oldest_first = running.order_by("worked_at").values_list("pk", flat=True)
    return sum(_step_safely(pk) for pk in list(oldest_first[:CLEARINGS_AT_ONCE]))


def _step_safely(clearing_id: UUID) -> int:
    """Whatever is wrong with one keeps no other from going on."""
    try:
        return _step(clearing_id)
    except Exception:
        logger.exception("clearing_failed", clearing_id=str(clearing_id))
        return 0


@tried_again
@transaction.atomic
def _step(clearing_id: UUID) -> int:
    """Nothing where another worker is at it, or where somebody has just paused or cancelled it."""
    rows = Clearing.across_organizations.select_for_update(of=("self",), skip_locked=True)
    clearing = rows.select_related("organization").filter(pk=clearing_id, state=ClearingState.RUNNING).first()
    if clearing is None:
        return 0
    now = clock.now()
    since = max(clearing.worked_at, now - LONGEST_CATCH_UP)
    if since > now:
        # The clock was set back, and would have to come to there again.
        since = now - timedelta(seconds=1)
    wanted = min(MOST_AT_ONCE, int((now - since).total_seconds() * clearing.per_second))
    if wanted <= 0:
        return 0
    chosen = _next(clearing, wanted)
    done = _carry_out(clearing, chosen) if chosen else 0
    clearing.done += done
    clearing.worked_at = since + timedelta(seconds=wanted / clearing.per_second)
    if chosen:
        clearing.after_id = chosen[-1]
    if len(chosen) < wanted:
        clearing.state, clearing.ended_at = ClearingState.FINISHED, now
        changes = {"matched": (None, clearing.matched), "done": (None, clearing.done)}
        audit.record(SYSTEM, "clearing.finished", clearing, organization=clearing.organization, changes=changes)
    clearing.save(update_fields=["done", "worked_at", "after_id", "state", "ended_at"])
    return done


def _next(clearing: Clearing, most: int) -> list[UUID]:
    """Those that were open when it began; what failed since, or failed again in this clearing, is not meant."""
    selection = Selection(
        account_id=clearing.account_id,
        error_class=clearing.error_class,
        error_code=clearing.error_code,
        created_before=clearing.created_before,
        failed_again=clearing.failed_again,
    )
    letters = selection.of(clearing.organization).filter(changed_at__lte=clearing.created_at)
    if clearing.after_id is not None:
        letters = letters.filter(pk__gt=clearing.after_id)
    return list(letters.order_by("pk").values_list("pk", flat=True)[:most])


def _carry_out(clearing: Clearing, letters: list[UUID]) -> int:
    if clearing.action == ClearingAction.DISCARD:
        return len(engine.discard(clearing.organization, letters, clearing.reason, clearing=clearing.pk))
    return len(engine.replay(clearing.organization, letters, Priority.LOW, clearing=clearing.pk))
