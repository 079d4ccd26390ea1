"""Try dead letters again, or let them rest: one, some, or as many as are done while somebody waits."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import NotFound

from apps.accounts import audit
from apps.accounts.principal import Principal
from apps.core.api.problems import Conflict
from apps.messaging.dead_letters.allowed import check_sends
from apps.messaging.dead_letters.selection import Selection
from apps.messaging.engine import replay as engine
from apps.messaging.models import DeadLetter, DeadLetterState
from apps.messaging.statuses import Priority

MOST_AT_ONCE = 1000
LONGEST_REASON = 500


class NotDead(Conflict):
    default_code = "not_dead"
    default_detail = _("This message is being tried again, was sent after all, or was discarded.")


@dataclass(frozen=True, slots=True)
class Replayed:
    matched: int
    replayed: int

    @property
    def remaining(self) -> int:
        return self.matched - self.replayed


@transaction.atomic
def replay(principal: Principal, letter: DeadLetter) -> DeadLetter:
    """A new attempt of the same message, at the end of its conversation's queue."""
    check_sends(principal.organization)
    if not engine.replay(principal.organization, [letter.pk]):
        raise NotDead
    letter = _reread(principal, letter)
    audit.record(
        principal.actor,
        "dead_letter.replayed",
        letter,
        organization=principal.organization,
        changes={"state": (DeadLetterState.OPEN, letter.state)},
    )
    return letter


@transaction.atomic
def replay_many(
    principal: Principal, selection: Selection, *, most: int = MOST_AT_ONCE, dry_run: bool = False
) -> Replayed:
    """The oldest first, behind everybody's new messages. Asked again, it goes on with those that remain."""
    if not dry_run:
        check_sends(principal.organization)
    letters = selection.of(principal.organization)
    matched = letters.count()
    if dry_run or not matched:
        return Replayed(matched, 0)
    chosen = list(letters.order_by("pk").values_list("pk", flat=True)[: min(most, MOST_AT_ONCE)])
    replayed = engine.replay(principal.organization, chosen, Priority.LOW)
    audit.record(
        principal.actor,
        "dead_letters.replayed",
        principal.organization,
        organization=principal.organization,
        changes={**selection.in_words(), "matched": (None, matched), "replayed": (None, len(replayed))},
    )
    return Replayed(matched, len(replayed))


@transaction.atomic
def discard(principal: Principal, letter: DeadLetter, reason: str) -> DeadLetter:
    """Nobody needs to look at it any more. It cannot be tried again."""
    if not engine.discard(principal.organization, [letter.pk], reason):
        raise NotDead
    letter = _reread(principal, letter)
    audit.record(
        principal.actor,
        "dead_letter.discarded",
        letter,
        organization=principal.organization,
        changes={"state": (DeadLetterState.OPEN, letter.state), "reason": (None, reason)},
    )
    return letter


@transaction.atomic
def discard_many(principal: Principal, ids: Sequence[UUID], reason: str) -> int:
    discarded = engine.discard(principal.organization, ids, reason)
    if discarded:
        audit.record(
            principal.actor,
            "dead_letters.discarded",
            principal.organization,
            organization=principal.organization,
            changes={"discarded": (None, len(discarded)), "reason": (None, reason)},
        )
    return len(discarded)


def _reread(principal: Principal, letter: DeadLetter) -> DeadLetter:
    letters = DeadLetter.objects.for_organization(principal.organization)
    found = letters.select_related("account", "message__conversation").filter(pk=letter.pk).first()
    if found is None:
        raise NotFound
    return found
