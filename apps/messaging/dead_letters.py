"""Messages that failed for good: try them again, one or many, or let them rest."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import NotFound

from apps.accounts import audit
from apps.accounts.principal import Principal
from apps.core.api.problems import Conflict
from apps.messaging.engine import replay as engine
from apps.messaging.models import DeadLetter, DeadLetterState, MessageEvent
from apps.messaging.statuses import EventKind, Priority

MOST_AT_ONCE = 1000
LONGEST_REASON = 500
_LONGEST_STORY = 1000
_OUTCOMES = [EventKind.RETRYING, EventKind.HELD, EventKind.UNKNOWN, EventKind.SENT, EventKind.FAILED]


class NotDead(Conflict):
    default_code = "not_dead"
    default_detail = _("This message is being tried again, was sent after all, or was discarded.")


@dataclass(frozen=True, slots=True)
class Selection:
    """Which of the open ones: what is not said does not matter."""

    ids: Sequence[UUID] | None = None
    account_id: UUID | None = None
    error_class: str | None = None
    error_code: str | None = None
    created_before: datetime | None = None

    def of(self, principal: Principal) -> QuerySet[DeadLetter]:
        wanted: dict[str, Any] = {
            "pk__in": self.ids,
            "account": self.account_id,
            "error_class": self.error_class,
            "error_code": self.error_code,
            "created_at__lt": self.created_before,
        }
        given = {name: value for name, value in wanted.items() if value is not None}
        letters = DeadLetter.objects.for_organization(principal.organization)
        return letters.filter(state=DeadLetterState.OPEN, **given)

    def in_words(self) -> dict[str, tuple[None, Any]]:
        """For the trail; ids are only counted."""
        said = {
            "ids": None if self.ids is None else len(self.ids),
            "account_id": self.account_id,
            "error_class": self.error_class,
            "error_code": self.error_code,
            "created_before": self.created_before,
        }
        return {name: (None, value) for name, value in said.items() if value is not None}


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
    letters = selection.of(principal)
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


@dataclass(frozen=True, slots=True)
class TriedError:
    error_class: str
    error_code: str
    error_detail: str


@dataclass(frozen=True, slots=True)
class Tried:
    """One attempt and what came of it."""

    attempt: int
    at: datetime
    outcome: str
    milliseconds: int | None
    error: TriedError | None


def tried(letter: DeadLetter) -> list[Tried]:
    """Oldest first; of very many, the last."""
    events = MessageEvent.across_organizations.filter(message=letter.message_id, kind__in=_OUTCOMES)
    return [
        Tried(event.attempt, event.at, event.kind, event.detail.get("ms"), _error_of(event.detail))
        for event in reversed(events.order_by("-id")[:_LONGEST_STORY])
    ]


def _error_of(detail: dict[str, Any]) -> TriedError | None:
    if "error" not in detail:
        return None
    return TriedError(detail["error"], detail.get("code", ""), detail.get("detail", ""))


def _reread(principal: Principal, letter: DeadLetter) -> DeadLetter:
    letters = DeadLetter.objects.for_organization(principal.organization)
    found = letters.select_related("account", "message__conversation").filter(pk=letter.pk).first()
    if found is None:
        raise NotFound
    return found
