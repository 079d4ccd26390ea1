"""What a dead letter went through."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from apps.messaging.models import DeadLetter, MessageEvent
from apps.messaging.statuses import EventKind

_LONGEST_STORY = 1000
_OUTCOMES = [EventKind.RETRYING, EventKind.HELD, EventKind.UNKNOWN, EventKind.SENT, EventKind.FAILED]


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
